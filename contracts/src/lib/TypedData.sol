// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @title EIP-712 signatures to the contract that uses this library
/// @notice The domain is name "Songhua", version "1", the chain's id and the contract's address. It is computed for each
/// use: a contract that genesis places has no constructor that could keep it. The genesis block's hash is not in it, since
/// no contract can learn it: what was signed for a chain holds on every other one with its id, where the system contracts
/// have the same addresses. Each chain therefore needs an id that none had before it.
library TypedData {
  bytes32 private constant DOMAIN_TYPE_HASH =
    keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
  bytes32 private constant NAME_HASH = keccak256("Songhua");
  bytes32 private constant VERSION_HASH = keccak256("1");

  /// @notice Who signed the struct with this hash; zero when the signature is no signature (65 bytes, low s).
  function signerOf(bytes32 structHash, bytes calldata signature) internal view returns (address signer) {
    bytes32 domain =
      keccak256(abi.encode(DOMAIN_TYPE_HASH, NAME_HASH, VERSION_HASH, block.chainid, address(this)));
    (signer,,) = ECDSA.tryRecoverCalldata(MessageHashUtils.toTypedDataHash(domain, structHash), signature);
  }
}
