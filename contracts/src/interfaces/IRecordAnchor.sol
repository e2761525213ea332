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
  /// @param sender who anchored it
  /// @param batchId the sender's name for the batch
  function anchorOf(address sender, bytes32 batchId) external view returns (bytes32 commitment);

  /// @notice Whether `sender` anchored exactly this root, size and family under `batchId`.
  /// @param sender who is said to have anchored it
  /// @param batchId the sender's name for the batch
  /// @param root RFC 9162 root over the leaf hashes of the records
  /// @param size number of leaves
  /// @param family record family of every leaf
  function isAnchored(address sender, bytes32 batchId, bytes32 root, uint64 size, uint8 family)
    external
    view
    returns (bool);

  /// @notice Whether `sender` anchored this batch and the record with this leaf hash stands in it: a contract's or a
  /// caller's way to check a record against the chain's state alone. False, never a revert, for whatever does not hold.
  /// @dev RFC 9162 §2.1.3.2. It proves that the record was anchored, not that it is still in force.
  /// @param sender who is said to have anchored the batch
  /// @param batchId the sender's name for the batch
  /// @param root RFC 9162 root over the leaf hashes of the records
  /// @param size number of leaves
  /// @param family record family of every leaf
  /// @param leafIndex the record's place in the batch, from 0
  /// @param leafHash SHA-256 of 00 and the record's canonical envelope (RFC 8785)
  /// @param path hashes of the siblings, from the leaf up
  function verifyRecord(
    address sender,
    bytes32 batchId,
    bytes32 root,
    uint64 size,
    uint8 family,
    uint64 leafIndex,
    bytes32 leafHash,
    bytes32[] calldata path
  ) external view returns (bool);

  /// @notice As {verifyRecord}, for whoever has the record's envelope itself: the chain hashes it.
  /// @param sender who is said to have anchored the batch
  /// @param batchId the sender's name for the batch
  /// @param root RFC 9162 root over the leaf hashes of the records
  /// @param size number of leaves
  /// @param family record family of every leaf
  /// @param leafIndex the record's place in the batch, from 0
  /// @param envelope the record's canonical envelope (RFC 8785, UTF-8), byte for byte
  /// @param path hashes of the siblings, from the leaf up
  function verifyEnvelope(
    address sender,
    bytes32 batchId,
    bytes32 root,
    uint64 size,
    uint8 family,
    uint64 leafIndex,
    bytes calldata envelope,
    bytes32[] calldata path
  ) external view returns (bool);
}
