// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Bits of an account's and an organisation's roles, as the chain reads them
library Roles {
  uint16 internal constant ANCHOR = 1;
  uint16 internal constant DEPLOY = 2;
  uint16 internal constant ISSUE = 4;
  uint16 internal constant ADMINISTER = 8;
  uint16 internal constant READ = 16;
  uint16 internal constant APPLY = 32;

  uint16 internal constant ALL = ANCHOR | DEPLOY | ISSUE | ADMINISTER | READ | APPLY;
  /// @dev What accounts can have that are bound to no organisation.
  uint16 internal constant NEWCOMERS = ANCHOR | DEPLOY | APPLY;

  /// @notice Whether all of `roles` are among `allowed`.
  function isWithin(uint16 roles, uint16 allowed) internal pure returns (bool) {
    return roles & ~allowed == 0;
  }
}
