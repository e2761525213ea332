// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What was used of the quotas
/// @notice The chain itself writes it at the end of each block that has transactions; no function does. All views answer
/// for the day of the block: days begin at midnight in Beijing (UTC+8), and with a day counting starts at zero.
interface IUsageRegister {
  /// @dev The layout is part of the chain's format.
  struct Usage {
    uint32 day; // floor((block time + 28,800 s) / 86,400 s)
    uint64 gas; // used
    uint64 bytes_; // raw length of transactions
    uint32 transactions;
  }

  /// @notice What was used today under a key: an account's address padded left, a credit code padded right, or 1 for all
  /// newcomers together.
  function usageOf(bytes32 key) external view returns (Usage memory);

  /// @notice What an account used today.
  function usageOfAccount(address account) external view returns (Usage memory);

  /// @notice What an organisation's accounts used today.
  function usageOfOrganisation(bytes18 uscc) external view returns (Usage memory);

  /// @notice What all newcomers together used today.
  function usageOfNewcomers() external view returns (Usage memory);

  /// @notice The number of the block's day.
  function today() external view returns (uint32);
}
