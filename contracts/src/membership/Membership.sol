// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMembership} from "../interfaces/IMembership.sol";
import {Secp256k1} from "../lib/Secp256k1.sol";

/// @title Membership, administered by one account
/// @notice See {IMembership}. It has no constructor: genesis places the code and fills the storage
/// (`membership/genesis-storage.ts` computes the slots; the layout below is part of the chain's format).
contract Membership is IMembership {
  uint256 private constant MAX_VALIDATORS = 64;
  uint256 private constant MAX_NODES = 1024;

  /// @inheritdoc IMembership
  address public administrator; // slot 0

  address[] private _validators; // slot 1

  bytes[] private _nodes; // slot 2

  /// @dev Slot 3. keccak256(publicKey) => position in `_nodes` counted from 1; 0 is not admitted.
  mapping(bytes32 keyHash => uint256 position) private _positions;

  modifier onlyAdministrator() {
    // A zero administrator is a frozen membership even for calls simulated from the zero address.
    require(msg.sender == administrator && msg.sender != address(0), MembershipUnauthorized(msg.sender));
    _;
  }

  /// @inheritdoc IMembership
  function setValidators(address[] calldata validators) external onlyAdministrator {
    require(validators.length != 0, MembershipNoValidators());
    require(
      validators.length <= MAX_VALIDATORS, MembershipTooManyValidators(validators.length, MAX_VALIDATORS)
    );
    address previous = address(0);
    for (uint256 index = 0; index < validators.length; index++) {
      require(validators[index] > previous, MembershipValidatorsUnsorted(index, validators[index]));
      previous = validators[index];
    }
    _validators = validators;
    emit MembershipValidatorsChanged(validators);
  }

  /// @inheritdoc IMembership
  function admitNode(bytes calldata publicKey) external onlyAdministrator {
    require(Secp256k1.isCompressedKey(publicKey), MembershipInvalidNodeKey(publicKey));
    bytes32 keyHash = keccak256(publicKey);
    require(_positions[keyHash] == 0, MembershipNodeExists(publicKey));
    require(_nodes.length < MAX_NODES, MembershipTooManyNodes(MAX_NODES));
    _nodes.push(publicKey);
    _positions[keyHash] = _nodes.length;
    emit MembershipNodeAdmitted(publicKey);
  }

  /// @inheritdoc IMembership
  function removeNode(bytes calldata publicKey) external onlyAdministrator {
    bytes32 keyHash = keccak256(publicKey);
    uint256 position = _positions[keyHash];
    require(position != 0, MembershipUnknownNode(publicKey));
    uint256 last = _nodes.length;
    if (position != last) {
      bytes memory moved = _nodes[last - 1];
      _nodes[position - 1] = moved;
      _positions[keccak256(moved)] = position;
    }
    _nodes.pop();
    delete _positions[keyHash];
    emit MembershipNodeRemoved(publicKey);
  }

  /// @inheritdoc IMembership
  function getValidators() external view returns (address[] memory validators) {
    return _validators;
  }

  /// @inheritdoc IMembership
  function getNodes() external view returns (bytes[] memory publicKeys) {
    return _nodes;
  }
}
