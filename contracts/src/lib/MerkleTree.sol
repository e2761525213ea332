// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Merkle trees of RFC 9162 §2.1, with SHA-256
/// @notice Leaves and inner nodes are hashed with different prefixes, so neither passes for the other. Sizes and indices
/// count leaves; a path holds the siblings from the leaf up.
/// @dev Pure: no storage, no external code but the SHA-256 precompile. Nothing here reverts on a bad proof.
library MerkleTree {
  address private constant SHA256 = address(2);

  /// @notice The hash of a leaf: SHA-256 of 00 and its data.
  function leafHash(bytes calldata data) internal pure returns (bytes32) {
    return sha256(abi.encodePacked(bytes1(0x00), data));
  }

  /// @notice The hash of an inner node: SHA-256 of 01, its left child and its right child.
  /// @dev Works in memory that nobody has taken, and leaves it so: a path of any length needs no more.
  function nodeHash(bytes32 left, bytes32 right) internal view returns (bytes32 hash) {
    address precompile = SHA256;
    assembly ("memory-safe") {
      let buffer := mload(0x40)
      mstore8(buffer, 0x01)
      mstore(add(buffer, 0x01), left)
      mstore(add(buffer, 0x21), right)
      // It fails only for want of gas, and then no answer must be made of what the buffer holds.
      if iszero(staticcall(gas(), precompile, buffer, 0x41, buffer, 0x20)) { revert(0, 0) }
      hash := mload(buffer)
    }
  }

  /// @notice The root to which a path leads: RFC 9162 §2.1.3.2.
  /// @param leaf hash of the leaf
  /// @param index of the leaf, counted from 0
  /// @param size of the tree
  /// @param path siblings from the leaf up
  /// @return fits whether the tree has such a leaf and the path is exactly as long as the leaf is deep
  /// @return root meaningful only when it fits
  function rootFromInclusion(bytes32 leaf, uint64 index, uint64 size, bytes32[] calldata path)
    internal
    view
    returns (bool fits, bytes32 root)
  {
    if (index >= size) return (false, 0);
    uint256 position = index;
    uint256 last = size - 1;
    root = leaf;
    for (uint256 step = 0; step < path.length; step++) {
      if (last == 0) return (false, 0);
      if (position & 1 == 1 || position == last) {
        root = nodeHash(path[step], root);
        // The right edge of a tree that is not full: a node without a sibling is its own parent.
        while (position & 1 == 0 && position != 0) {
          position >>= 1;
          last >>= 1;
        }
      } else {
        root = nodeHash(root, path[step]);
      }
      position >>= 1;
      last >>= 1;
    }
    return (last == 0, root);
  }

  /// @notice Whether the tree `root` of `size` leaves holds `leaf` at `index`. False, never a revert, for every path that
  /// is too short, too long or wrong, and for an index outside the tree.
  /// @param leaf hash of the leaf
  function includes(bytes32 root, uint64 size, bytes32 leaf, uint64 index, bytes32[] calldata path)
    internal
    view
    returns (bool)
  {
    (bool fits, bytes32 reached) = rootFromInclusion(leaf, index, size, path);
    return fits && reached == root;
  }
}
