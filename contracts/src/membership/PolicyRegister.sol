// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPolicyRegister} from "../interfaces/IPolicyRegister.sol";
import {Roles} from "../lib/Roles.sol";
import {Governed} from "./Governed.sol";

/// @title Policy register
/// @notice See {IPolicyRegister}. It has no constructor: genesis places the code and fills the storage.
contract PolicyRegister is IPolicyRegister, Governed {
  uint16 private constant MAX_MIN_VALIDATORS = 64;
  uint32 private constant MAX_VALIDATOR_NOTICE_BLOCKS = 100_000;
  uint32 private constant MAX_PROTOCOL_NOTICE_BLOCKS = 1_000_000;
  uint32 private constant MIN_MOTION_LIFETIME_S = 3_600;
  uint32 private constant MAX_MOTION_LIFETIME_S = 31_536_000;
  uint16 private constant FIRST_VERSION = 1;
  uint256 private constant MAX_PROTOCOL_CHANGES = 8;
  uint256 private constant DOORS = 128;
  /// @dev The lower bit of each door's level.
  uint256 private constant LOW_BITS = type(uint256).max / 3;

  Newcomer private _newcomer; // slot 1

  Newcomers private _newcomers; // slot 2

  /// @inheritdoc IPolicyRegister
  uint256 public readLevels; // slot 3

  Parameters private _parameters; // slot 4

  ProtocolChange[] private _protocol; // slot 5, a word each

  /// @inheritdoc IPolicyRegister
  mapping(address reader => uint256 doors) public readerDoors; // slot 6

  /// @inheritdoc IPolicyRegister
  function setNewcomers(
    uint16 roles,
    uint64 gasPerDay,
    uint64 bytesPerDay,
    uint64 gasPerDayTotal,
    uint64 bytesPerDayTotal
  ) external onlyGovernor {
    require(Roles.isWithin(roles, Roles.NEWCOMERS), PolicyRegisterInvalidRoles(roles));
    _newcomer = Newcomer(roles, gasPerDay, bytesPerDay);
    _newcomers = Newcomers(gasPerDayTotal, bytesPerDayTotal);
    emit NewcomersChanged(roles, gasPerDay, bytesPerDay, gasPerDayTotal, bytesPerDayTotal);
  }

  /// @inheritdoc IPolicyRegister
  function setReadLevels(uint256 levels) external onlyGovernor {
    require(levels & (levels >> 1) & LOW_BITS == 0, PolicyRegisterInvalidLevels(levels));
    readLevels = levels;
    emit ReadLevelsChanged(levels);
  }

  /// @inheritdoc IPolicyRegister
  function setReader(address reader, uint256 doors) external onlyGovernor {
    require(reader != address(0), PolicyRegisterInvalidReader(reader));
    readerDoors[reader] = doors;
    emit ReaderChanged(reader, doors);
  }

  /// @inheritdoc IPolicyRegister
  function setParameters(
    uint16 minValidators,
    uint32 validatorNotice,
    uint32 protocolNotice,
    uint32 motionLifetime
  ) external onlyGovernor {
    require(
      minValidators != 0 && minValidators <= MAX_MIN_VALIDATORS, PolicyRegisterInvalidMinValidators(minValidators)
    );
    require(
      validatorNotice != 0 && validatorNotice <= MAX_VALIDATOR_NOTICE_BLOCKS,
      PolicyRegisterInvalidValidatorNotice(validatorNotice)
    );
    require(
      protocolNotice != 0 && protocolNotice <= MAX_PROTOCOL_NOTICE_BLOCKS,
      PolicyRegisterInvalidProtocolNotice(protocolNotice)
    );
    require(
      motionLifetime >= MIN_MOTION_LIFETIME_S && motionLifetime <= MAX_MOTION_LIFETIME_S,
      PolicyRegisterInvalidMotionLifetime(motionLifetime)
    );
    _parameters = Parameters(minValidators, validatorNotice, protocolNotice, motionLifetime);
    emit ParametersChanged(minValidators, validatorNotice, protocolNotice, motionLifetime);
  }

  /// @inheritdoc IPolicyRegister
  function scheduleProtocol(uint16 version, uint64 height) external onlyGovernor {
    uint256 count = _protocol.length;
    (uint16 lastVersion, uint256 minimum) = (FIRST_VERSION, block.number + _parameters.protocolNotice);
    if (count != 0) {
      ProtocolChange storage last = _protocol[count - 1];
      lastVersion = last.version;
      if (last.height >= minimum) minimum = uint256(last.height) + 1;
    }
    require(version == lastVersion + 1, PolicyRegisterVersionNotNext(version, lastVersion + 1));
    // Changes whose height has come are history; only those ahead are bounded.
    require(
      count < MAX_PROTOCOL_CHANGES || _protocol[count - MAX_PROTOCOL_CHANGES].height <= block.number,
      PolicyRegisterTooManyChanges(MAX_PROTOCOL_CHANGES)
    );
    require(height >= minimum, PolicyRegisterHeightTooLow(height, minimum));
    _protocol.push(ProtocolChange(height, version));
    emit ProtocolScheduled(version, height);
  }

  /// @inheritdoc IPolicyRegister
  function cancelProtocol() external onlyGovernor {
    uint256 count = _protocol.length;
    require(count != 0, PolicyRegisterNothingScheduled());
    ProtocolChange memory last = _protocol[count - 1];
    require(last.height > block.number, PolicyRegisterNothingScheduled());
    _protocol.pop();
    emit ProtocolCancelled(last.version, last.height);
  }

  /// @inheritdoc IPolicyRegister
  function newcomer() external view returns (Newcomer memory) {
    return _newcomer;
  }

  /// @inheritdoc IPolicyRegister
  function newcomers() external view returns (Newcomers memory) {
    return _newcomers;
  }

  /// @inheritdoc IPolicyRegister
  function readLevelOf(uint8 door) external view returns (uint8) {
    return door < DOORS ? uint8(readLevels >> (2 * uint256(door)) & 3) : 0;
  }

  /// @inheritdoc IPolicyRegister
  function parameters() external view returns (Parameters memory) {
    return _parameters;
  }

  /// @inheritdoc IPolicyRegister
  function protocolChanges() external view returns (ProtocolChange[] memory) {
    return _protocol;
  }
}
