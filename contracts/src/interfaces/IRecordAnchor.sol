// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Anchoring of record batches
/// @notice A batch of records is one Merkle tree (RFC 9162, SHA-256) built off-chain; anchoring it writes one storage
/// slot and emits one event. A batch belongs to the account that anchored it: the slot's key contains the sender, so
/// nobody can take another account's batch id, and nothing anchored can be changed or removed.
///
/// Record families: 1 government (政务), 2 trace (溯源), 3 credit (征信).
interface IRecordAnchor {
  /// @notice `sender` anchored the tree `root` of `size` records of one `family` under `batchId`.
  /// @dev Evidence proves this log from the receipts root. What an auditor searches by (who, which batch, which root)
  /// are the three indexed topics; `size` and `family` are the 64 bytes of data.
  event RecordsAnchored(
    address indexed sender, bytes32 indexed batchId, bytes32 indexed root, uint64 size, uint8 family
  );

  /// @notice `sender` has anchored a batch with this id before.
  error RecordAnchorBatchExists(address sender, bytes32 batchId);
  /// @notice The root is zero, which no tree has.
  error RecordAnchorZeroRoot(bytes32 batchId);
  /// @notice The batch is said to hold no records.
  error RecordAnchorEmptyBatch(bytes32 batchId);
  /// @notice The family is none of 1 (government), 2 (trace), 3 (credit).
  error RecordAnchorUnknownFamily(uint8 family);

  /// @notice Anchors a batch for the caller.
  ///
  /// Requirements:
  /// - the caller has not used `batchId` before
  /// - `root` is not zero
  /// - `size` is at least 1
  /// - `family` is 1, 2 or 3
  ///
  /// Emits {RecordsAnchored}.
  /// @param batchId the caller's own name for the batch
  /// @param root RFC 9162 root over the leaf hashes of the records
  /// @param size number of leaves
  /// @param family record family of every leaf
  function anchor(bytes32 batchId, bytes32 root, uint64 size, uint8 family) external;

  /// @notice What is stored for a batch: `keccak256(abi.encode(root, size, family, sender))`, or zero when `sender` has
  /// anchored no such batch.
  function anchorOf(address sender, bytes32 batchId) external view returns (bytes32 commitment);

  /// @notice Whether `sender` anchored exactly this root, size and family under `batchId`.
  function isAnchored(address sender, bytes32 batchId, bytes32 root, uint64 size, uint8 family)
    external
    view
    returns (bool);
}
