// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGoverned} from "../interfaces/IGoverned.sol";

/// @title What all registers have in common: one contract governs them
/// @dev The first that a register inherits, so that the governor stands in slot 0.
abstract contract Governed is IGoverned {
  /// @inheritdoc IGoverned
  address public governor; // slot 0

  modifier onlyGovernor() {
    require(msg.sender == governor, GovernedUnauthorized(msg.sender));
    _;
  }

  /// @inheritdoc IGoverned
  function setGovernor(address next) external onlyGovernor {
    require(next.code.length != 0, GovernedInvalidGovernor(next));
    emit GovernorChanged(governor, next);
    governor = next;
  }
}
