// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IUsageRegister} from "../interfaces/IUsageRegister.sol";

/// @title Usage register
/// @notice See {IUsageRegister}. Nothing here writes: the chain's own rule does (`slots.ts` has the layout).
contract UsageRegister is IUsageRegister {
  uint256 private constant DAY_OFFSET_S = 28_800;
  uint256 private constant DAY_S = 86_400;
  /// @dev Neither an address with a known key nor a credit code.
  bytes32 private constant NEWCOMERS_KEY = bytes32(uint256(1));

  mapping(bytes32 key => Usage) private _usage; // slot 0

  /// @inheritdoc IUsageRegister
  function usageOf(bytes32 key) public view returns (Usage memory usage) {
    usage = _usage[key];
    uint32 day = today();
    if (usage.day != day) return Usage({day: day, gas: 0, bytes_: 0, transactions: 0});
  }

  /// @inheritdoc IUsageRegister
  function usageOfAccount(address account) external view returns (Usage memory) {
    return usageOf(bytes32(uint256(uint160(account))));
  }

  /// @inheritdoc IUsageRegister
  function usageOfOrganisation(bytes18 uscc) external view returns (Usage memory) {
    return usageOf(bytes32(uscc));
  }

  /// @inheritdoc IUsageRegister
  function usageOfNewcomers() external view returns (Usage memory) {
    return usageOf(NEWCOMERS_KEY);
  }

  /// @inheritdoc IUsageRegister
  function today() public view returns (uint32) {
    return uint32((block.timestamp + DAY_OFFSET_S) / DAY_S);
  }
}
