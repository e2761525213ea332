// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegister} from "../interfaces/INodeRegister.sol";

/// @title How many validators leave a set, or change their keys, in a day (UTC)
/// @notice As many as a quorum may miss, whoever operates them, so that the council keeps its say over the set: more by
/// a change of validators alone, which needs more votes.
library ValidatorChurn {
  /// @dev Apart from each other: who rotates its key must not use up what the council may suspend.
  struct Day {
    uint64 rotations;
    uint64 suspensions;
    uint64 count; // of the validators, before the first suspension
  }

  struct Churn {
    mapping(uint256 day => Day) byDay; // since 1970
  }

  /// @notice How many of a set may be missing or new at once.
  function mayMiss(uint256 count) internal pure returns (uint256) {
    return count < 4 ? 1 : (count - 1) / 3;
  }

  /// @param count of the validators
  function countRotation(Churn storage churn, uint256 count) internal {
    uint256 maximum = mayMiss(count);
    require(++_today(churn).rotations <= maximum, INodeRegister.NodeRegisterTooMuchChurn(maximum));
  }

  /// @notice Measured by the set before the first suspension of the day. Who was to become a validator counts too: else
  /// the sets of tomorrow and of today could together lose twice as many.
  /// @param count of the validators before this one left
  function countSuspension(Churn storage churn, uint256 count) internal {
    Day storage today = _today(churn);
    if (today.suspensions == 0) today.count = uint64(count);
    uint256 maximum = mayMiss(today.count);
    require(++today.suspensions <= maximum, INodeRegister.NodeRegisterTooMuchChurn(maximum));
  }

  function _today(Churn storage churn) private view returns (Day storage) {
    return churn.byDay[block.timestamp / 1 days];
  }
}
