// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGoverned} from "./IGoverned.sol";

/// @title What holds for all: newcomers, reading, parameters, protocol versions
/// @notice The chain and its nodes read this contract's storage. "[governor]" marks what only the governor may do, which
/// is the council.
///
/// Doors for readers: 0 eth, 1 net, 2 web3, 3 txpool, 4 debug, 5 qbft, 6 songhua, 16 records of government, 17 trace,
/// 18 credit. Levels: 0 listed readers only, 1 members, 2 public; what nobody set is the most closed.
interface IPolicyRegister is IGoverned {
  /// @dev Rights of accounts that are bound to no organisation, for each. The layout is part of the chain's format.
  struct Newcomer {
    uint16 roles;
    uint64 gasPerDay;
    uint64 bytesPerDay;
  }

  /// @dev Quotas of all newcomers together. The layout is part of the chain's format.
  struct Newcomers {
    uint64 gasPerDay;
    uint64 bytesPerDay;
  }

  /// @dev The layout is part of the chain's format.
  struct Parameters {
    uint16 minValidators;
    uint32 validatorNotice; // blocks
    uint32 protocolNotice; // blocks
    uint32 motionLifetime; // seconds
  }

  /// @dev One word each. The layout is part of the chain's format.
  struct ProtocolChange {
    uint64 height; // first block made by it
    uint16 version;
  }

  /// @notice Newcomers' rights are these now; the quotas are for each, and for all together.
  event NewcomersChanged(
    uint16 roles, uint64 gasPerDay, uint64 bytesPerDay, uint64 gasPerDayTotal, uint64 bytesPerDayTotal
  );
  /// @notice Two bits for each door, door n at bits 2n.
  event ReadLevelsChanged(uint256 levels);
  /// @notice One bit for each door for which the reader is listed.
  event ReaderChanged(address indexed reader, uint256 doors);
  /// @notice The parameters are these now; the notices in blocks, the lifetime in seconds.
  event ParametersChanged(
    uint16 minValidators, uint32 validatorNotice, uint32 protocolNotice, uint32 motionLifetime
  );
  /// @notice From block `height` on `version` of the protocol holds.
  event ProtocolScheduled(uint16 indexed version, uint64 indexed height);
  /// @notice The change to `version` at `height` will not come.
  event ProtocolCancelled(uint16 indexed version, uint64 indexed height);

  /// @notice Newcomers have ANCHOR 1, DEPLOY 2 and APPLY 32 at most.
  error PolicyRegisterInvalidRoles(uint16 roles);
  /// @notice A door's two bits are 3, which is no level.
  error PolicyRegisterInvalidLevels(uint256 levels);
  /// @notice The zero address reads nothing.
  error PolicyRegisterInvalidReader(address reader);
  /// @notice Not from 1 to 64.
  error PolicyRegisterInvalidMinValidators(uint16 count);
  /// @notice Not from 1 to 100,000 blocks.
  error PolicyRegisterInvalidValidatorNotice(uint32 blocks_);
  /// @notice Not from 1 to 1,000,000 blocks.
  error PolicyRegisterInvalidProtocolNotice(uint32 blocks_);
  /// @notice Not from 3,600 to 31,536,000 s.
  error PolicyRegisterInvalidMotionLifetime(uint32 seconds_);
  /// @notice The version does not follow the last one; every chain begins with 1.
  error PolicyRegisterVersionNotNext(uint16 version, uint16 next);
  /// @notice As many changes lie ahead as may be.
  error PolicyRegisterTooManyChanges(uint256 maximum);
  /// @notice The height is nearer than the policy's notice, or not above the last change.
  error PolicyRegisterHeightTooLow(uint64 height, uint256 minimum);
  /// @notice No change is scheduled whose height is still ahead.
  error PolicyRegisterNothingScheduled();

  /// @notice [governor] Sets the rights of accounts that are bound to no organisation.
  ///
  /// Requirements: the roles are among ANCHOR, DEPLOY and APPLY.
  ///
  /// Emits {NewcomersChanged}.
  function setNewcomers(
    uint16 roles,
    uint64 gasPerDay,
    uint64 bytesPerDay,
    uint64 gasPerDayTotal,
    uint64 bytesPerDayTotal
  ) external;

  /// @notice [governor] Sets who may read behind each door.
  ///
  /// Requirements: no door's two bits are 3.
  ///
  /// Emits {ReadLevelsChanged}.
  function setReadLevels(uint256 levels) external;

  /// @notice [governor] Lists a reader for the doors whose bits are set, and for no others.
  ///
  /// Emits {ReaderChanged}.
  function setReader(address reader, uint256 doors) external;

  /// @notice [governor] Sets the parameters of membership.
  ///
  /// Requirements: minValidators 1 to 64, validatorNotice 1 to 100,000, protocolNotice 1 to 1,000,000, motionLifetime 3,600
  /// to 31,536,000.
  ///
  /// Emits {ParametersChanged}.
  function setParameters(
    uint16 minValidators,
    uint32 validatorNotice,
    uint32 protocolNotice,
    uint32 motionLifetime
  ) external;

  /// @notice [governor] Schedules a version of the protocol.
  ///
  /// Requirements:
  /// - the version is the one after the last, the height is above the last and at least the notice ahead
  /// - fewer than 8 changes lie ahead
  ///
  /// Emits {ProtocolScheduled}.
  function scheduleProtocol(uint16 version, uint64 height) external;

  /// @notice [governor] Takes the last scheduled version back.
  ///
  /// Requirements: its height is above this block's.
  ///
  /// Emits {ProtocolCancelled}.
  function cancelProtocol() external;

  /// @notice Rights of each newcomer.
  function newcomer() external view returns (Newcomer memory);

  /// @notice Quotas of all newcomers together.
  function newcomers() external view returns (Newcomers memory);

  /// @notice Two bits for each door.
  function readLevels() external view returns (uint256);

  /// @notice The level of one door, below 128.
  function readLevelOf(uint8 door) external view returns (uint8);

  /// @notice One bit for each door for which the reader is listed.
  function readerDoors(address reader) external view returns (uint256);

  /// @notice The parameters of membership.
  function parameters() external view returns (Parameters memory);

  /// @notice All versions that were ever scheduled by motion and not taken back, lowest first.
  function protocolChanges() external view returns (ProtocolChange[] memory);
}
