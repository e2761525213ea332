// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Where genesis places the system contracts
/// @notice The same on every Songhua chain, and the same as in `addresses.ts`: a contract without a constructor can learn
/// of the others in no other way.
library SystemContracts {
  address internal constant NODE_REGISTER = 0x0000000000000000000000000000000000230002;
  address internal constant ORGANISATION_REGISTER = 0x0000000000000000000000000000000000230003;
  address internal constant POLICY_REGISTER = 0x0000000000000000000000000000000000230005;
}
