// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRecordAnchor} from "../interfaces/IRecordAnchor.sol";
import {MerkleTree} from "../lib/MerkleTree.sol";

/// @title Record anchor
/// @notice See {IRecordAnchor}. No owner, no upgrade, no way to change what is written.
contract RecordAnchor is IRecordAnchor {
  uint8 private constant FAMILY_FIRST = 1;
  uint8 private constant FAMILY_LAST = 3;

  /// @dev Slot 0. keccak256(abi.encode(sender, batchId)) => keccak256(abi.encode(root, size, family, sender)).
  /// One mapping and one word a batch, so that a storage proof of a single slot proves a batch against a state root.
  mapping(bytes32 key => bytes32 commitment) private _anchors;

  /// @inheritdoc IRecordAnchor
  function anchor(bytes32 batchId, bytes32 root, uint64 size, uint8 family) external {
    require(root != 0, RecordAnchorZeroRoot(batchId));
    require(size != 0, RecordAnchorEmptyBatch(batchId));
    require(family >= FAMILY_FIRST && family <= FAMILY_LAST, RecordAnchorUnknownFamily(family));
    bytes32 key = _keyOf(msg.sender, batchId);
    require(_anchors[key] == 0, RecordAnchorBatchExists(msg.sender, batchId));
    _anchors[key] = _commitmentOf(root, size, family, msg.sender);
    emit RecordsAnchored(msg.sender, batchId, root, size, family);
  }

  /// @inheritdoc IRecordAnchor
  function anchorOf(address sender, bytes32 batchId) external view returns (bytes32 commitment) {
    return _anchors[_keyOf(sender, batchId)];
  }

  /// @inheritdoc IRecordAnchor
  function isAnchored(address sender, bytes32 batchId, bytes32 root, uint64 size, uint8 family)
    public
    view
    returns (bool)
  {
    return _anchors[_keyOf(sender, batchId)] == _commitmentOf(root, size, family, sender);
  }

  /// @inheritdoc IRecordAnchor
  function verifyRecord(
    address sender,
    bytes32 batchId,
    bytes32 root,
    uint64 size,
    uint8 family,
    uint64 leafIndex,
    bytes32 leafHash,
    bytes32[] calldata path
  ) public view returns (bool) {
    return isAnchored(sender, batchId, root, size, family)
      && MerkleTree.includes(root, size, leafHash, leafIndex, path);
  }

  /// @inheritdoc IRecordAnchor
  function verifyEnvelope(
    address sender,
    bytes32 batchId,
    bytes32 root,
    uint64 size,
    uint8 family,
    uint64 leafIndex,
    bytes calldata envelope,
    bytes32[] calldata path
  ) external view returns (bool) {
    return verifyRecord(
      sender, batchId, root, size, family, leafIndex, MerkleTree.leafHash(envelope), path
    );
  }

  /// @dev keccak256(abi.encode(sender, batchId)), in scratch memory: every anchor pays for it.
  function _keyOf(address sender, bytes32 batchId) private pure returns (bytes32 key) {
    bytes32 word = bytes32(uint256(uint160(sender)));
    assembly ("memory-safe") {
      mstore(0x00, word)
      mstore(0x20, batchId)
      key := keccak256(0x00, 0x40)
    }
  }

  function _commitmentOf(bytes32 root, uint64 size, uint8 family, address sender) private pure returns (bytes32) {
    return keccak256(abi.encode(root, size, family, sender));
  }
}
