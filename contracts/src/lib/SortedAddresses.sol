// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Ascending lists of addresses without repetitions, in memory
/// @dev At most 64 entries: shifting them in memory is cheaper than anything clever.
library SortedAddresses {
  /// @notice Takes a member out of the first `length` entries.
  /// @return found whether it was there; then one entry fewer counts
  function remove(address[] memory list, uint256 length, address member) internal pure returns (bool found) {
    for (uint256 index = 0; index < length; index++) {
      if (found) list[index - 1] = list[index];
      else if (list[index] == member) found = true;
    }
  }

  /// @notice Puts a member into the first `length` entries, where the list has room for one more.
  /// @return isNew whether it was not there; then one entry more counts
  function insert(address[] memory list, uint256 length, address member) internal pure returns (bool isNew) {
    uint256 place = 0;
    while (place < length && list[place] < member) place++;
    if (place < length && list[place] == member) return false;
    for (uint256 index = length; index > place; index--) list[index] = list[index - 1];
    list[place] = member;
    return true;
  }
}
