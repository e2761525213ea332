// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A register whose data one contract, the governor, may change
/// @notice The data stays where it is when the logic that governs it is replaced: the governor names its successor.
interface IGoverned {
  /// @notice The register obeys another contract from now on.
  event GovernorChanged(address indexed previous, address indexed next);

  /// @notice The caller is not the governor.
  error GovernedUnauthorized(address caller);
  /// @notice A register without a contract that governs it could never change again.
  error GovernedInvalidGovernor(address next);

  /// @notice Hands the register over.
  ///
  /// Requirements:
  /// - the caller is the governor
  /// - `next` has code
  ///
  /// Emits {GovernorChanged}.
  function setGovernor(address next) external;

  /// @notice The contract that may change what is for the council to change.
  function governor() external view returns (address);
}
