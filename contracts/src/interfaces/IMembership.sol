// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Membership
/// @notice Who seals the chain's blocks and which nodes may connect. The chain calls {getValidators} on the state after
/// each block; the answer is the set that seals the next block. Node gates admit the keys of {getNodes}, validators'
/// nodes among them.
interface IMembership {
  /// @notice The validators that seal the blocks after this one, ascending.
  event MembershipValidatorsChanged(address[] validators);
  /// @notice A node may connect from the next block on.
  event MembershipNodeAdmitted(bytes publicKey);
  /// @notice A node may no longer connect.
  event MembershipNodeRemoved(bytes publicKey);

  /// @notice The caller is not the administrator (a membership without administrator is frozen).
  error MembershipUnauthorized(address caller);
  /// @notice A chain without validators would stop for ever.
  error MembershipNoValidators();
  /// @notice More validators than the header carries.
  error MembershipTooManyValidators(uint256 count, uint256 maximum);
  /// @notice `validators[index]` is zero, or not above the one before it.
  error MembershipValidatorsUnsorted(uint256 index, address validator);
  /// @notice Not a compressed secp256k1 public key: 33 bytes, 02 or 03 first, then the x of a point on the curve.
  error MembershipInvalidNodeKey(bytes publicKey);
  /// @notice The node has been admitted before.
  error MembershipNodeExists(bytes publicKey);
  /// @notice No such node is admitted.
  error MembershipUnknownNode(bytes publicKey);
  /// @notice More nodes than the register holds.
  error MembershipTooManyNodes(uint256 maximum);

  /// @notice Replaces the validator set.
  ///
  /// Requirements:
  /// - the caller is the administrator
  /// - 1 to 64 addresses, strictly ascending, none zero
  ///
  /// Emits {MembershipValidatorsChanged}.
  function setValidators(address[] calldata validators) external;

  /// @notice Lets a node connect.
  ///
  /// Requirements:
  /// - the caller is the administrator
  /// - `publicKey` is a compressed secp256k1 public key that is not admitted yet
  /// - fewer than 1024 nodes are admitted
  ///
  /// Emits {MembershipNodeAdmitted}.
  function admitNode(bytes calldata publicKey) external;

  /// @notice Shuts a node out.
  ///
  /// Requirements:
  /// - the caller is the administrator
  /// - `publicKey` is admitted
  ///
  /// Emits {MembershipNodeRemoved}.
  function removeNode(bytes calldata publicKey) external;

  /// @notice The account that may change the membership; zero when nobody may.
  function administrator() external view returns (address);

  /// @notice The current validators, ascending.
  function getValidators() external view returns (address[] memory validators);

  /// @notice The compressed secp256k1 public keys (33 bytes each) of all admitted nodes, in no particular order.
  function getNodes() external view returns (bytes[] memory publicKeys);
}
