// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Unified social credit codes 统一社会信用代码, GB 32100-2015
library Uscc {
  uint256 private constant LENGTH = 18;
  uint256 private constant MODULUS = 31;
  uint256 private constant NO_VALUE = 0xff;
  /// @dev Values of 'A' to 'Y'. I, O, S and V stand for nothing; neither does Z.
  bytes25 private constant LETTER_VALUES = 0x0a0b0c0d0e0f1011ff1213141516ff171819ff1a1bff1c1d1e;

  /// @notice Whether all 18 characters are of the alphabet and the last is the check character of the others.
  function isValid(bytes18 uscc) internal pure returns (bool) {
    uint256 sum = 0;
    uint256 weight = 1;
    for (uint256 index = 0; index < LENGTH - 1; index++) {
      uint256 value = _valueOf(uint8(uscc[index]));
      if (value == NO_VALUE) return false;
      sum += value * weight;
      weight = weight * 3 % MODULUS;
    }
    return _valueOf(uint8(uscc[LENGTH - 1])) == (MODULUS - sum % MODULUS) % MODULUS;
  }

  function _valueOf(uint8 character) private pure returns (uint256) {
    if (character >= 0x30 && character <= 0x39) return character - 0x30;
    if (character >= 0x41 && character <= 0x59) return uint8(LETTER_VALUES[character - 0x41]);
    return NO_VALUE;
  }
}
