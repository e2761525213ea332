// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Pages of lists
library Pages {
  uint256 internal constant MAX_ENTRIES = 256;

  /// @notice Where a page of a list begins and ends. An offset behind the list gives an empty page.
  function boundsOf(uint256 offset, uint256 limit, uint256 length)
    internal
    pure
    returns (uint256 start, uint256 end)
  {
    if (offset >= length) return (length, length);
    uint256 entries = limit < MAX_ENTRIES ? limit : MAX_ENTRIES;
    return (offset, entries < length - offset ? offset + entries : length);
  }
}
