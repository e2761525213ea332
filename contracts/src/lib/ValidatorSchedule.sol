// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegister} from "../interfaces/INodeRegister.sol";
import {SortedAddresses} from "./SortedAddresses.sol";

/// @title Validator sets by height
/// @notice The set in force and those that are scheduled, all ascending. A pending set is in force for the block after
/// this one when its height is not above that block's; it is folded into `current` once its height has come.
/// @dev A set that takes over with the next block stays pending until then, so that a second change in the same block is
/// measured against it and cannot take over at the same height.
library ValidatorSchedule {
  struct Schedule {
    address[] current;
    INodeRegister.ValidatorChange[] pending; // heights strictly ascending
  }

  /// @notice The set that seals the block after this one.
  function next(Schedule storage schedule) internal view returns (address[] storage) {
    return _at(schedule, _nextPlace(schedule));
  }

  /// @notice The last set that is scheduled, or the one in force.
  function last(Schedule storage schedule) internal view returns (address[] storage) {
    return _at(schedule, schedule.pending.length);
  }

  /// @notice Whether the node is in the set that is in force or in one that is scheduled.
  function holds(Schedule storage schedule, address node) internal view returns (bool) {
    INodeRegister.ValidatorChange[] storage pending = schedule.pending;
    // Sets that others have followed are over, but for the last of them.
    uint256 index = pending.length;
    while (index > 0) {
      index--;
      if (contains(pending[index].validators, node)) return true;
      if (pending[index].height <= block.number) return false;
    }
    return contains(schedule.current, node);
  }

  /// @notice Whether an ascending set has this member.
  function contains(address[] storage set, address member) internal view returns (bool) {
    uint256 low = 0;
    uint256 high = set.length;
    while (low < high) {
      uint256 middle = (low + high) / 2;
      if (set[middle] < member) low = middle + 1;
      else high = middle;
    }
    return low < set.length && set[low] == member;
  }

  /// @notice Makes the last set whose height has come the current one, and forgets those before it.
  function fold(Schedule storage schedule) internal {
    INodeRegister.ValidatorChange[] storage pending = schedule.pending;
    uint256 count = pending.length;
    uint256 matured = 0;
    while (matured < count && pending[matured].height <= block.number) matured++;
    if (matured == 0) return;
    schedule.current = pending[matured - 1].validators;
    for (uint256 index = matured; index < count; index++) {
      pending[index - matured].height = pending[index].height;
      pending[index - matured].validators = pending[index].validators;
    }
    // pop() alone clears the members that it drops.
    for (uint256 index = 0; index < matured; index++) pending.pop();
  }

  /// @notice Schedules a set behind all others.
  function push(Schedule storage schedule, uint64 height, address[] memory validators) internal {
    INodeRegister.ValidatorChange storage change = schedule.pending.push();
    change.height = height;
    change.validators = validators;
  }

  /// @notice Takes a member out of every set from the next block on. The set of this block stays: it has sealed already.
  /// @param minimum of members that each set keeps; reverts where one would have fewer
  /// @return wasMember whether any set had it
  function remove(Schedule storage schedule, address member, uint256 minimum) internal returns (bool wasMember) {
    for (uint256 place = _nextPlace(schedule); place <= schedule.pending.length; place++) {
      address[] storage set = _at(schedule, place);
      if (!contains(set, member)) continue;
      uint256 count = set.length - 1;
      require(count >= minimum && count != 0, INodeRegister.NodeRegisterTooFewValidators(count, minimum));
      address[] memory list = set;
      SortedAddresses.remove(list, list.length, member);
      _write(set, list, count);
      wasMember = true;
    }
  }

  /// @notice Puts one member in the place of another in every set from the next block on.
  /// @return wasMember whether any set had it
  function replace(Schedule storage schedule, address previous, address successor)
    internal
    returns (bool wasMember)
  {
    for (uint256 place = _nextPlace(schedule); place <= schedule.pending.length; place++) {
      address[] storage set = _at(schedule, place);
      if (!contains(set, previous)) continue;
      address[] memory list = set;
      SortedAddresses.remove(list, list.length, previous);
      SortedAddresses.insert(list, list.length - 1, successor);
      _write(set, list, list.length);
      wasMember = true;
    }
  }

  /// @dev Places: 0 is the current set, n the pending one with index n - 1.
  function _at(Schedule storage schedule, uint256 place) private view returns (address[] storage) {
    return place == 0 ? schedule.current : schedule.pending[place - 1].validators;
  }

  function _nextPlace(Schedule storage schedule) private view returns (uint256 place) {
    place = schedule.pending.length;
    while (place > 0 && schedule.pending[place - 1].height > block.number + 1) place--;
  }

  /// @dev Writes the first `count` entries where they differ.
  function _write(address[] storage set, address[] memory list, uint256 count) private {
    for (uint256 index = 0; index < count; index++) {
      if (set[index] != list[index]) set[index] = list[index];
    }
    while (set.length > count) set.pop();
  }
}
