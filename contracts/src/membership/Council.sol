// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {ICouncil} from "../interfaces/ICouncil.sol";
import {IGoverned} from "../interfaces/IGoverned.sol";
import {IOrganisationRegister} from "../interfaces/IOrganisationRegister.sol";
import {IPolicyRegister} from "../interfaces/IPolicyRegister.sol";
import {MotionKinds} from "../lib/MotionKinds.sol";
import {Pages} from "../lib/Pages.sol";
import {SystemContracts} from "../lib/SystemContracts.sol";

/// @title Council
/// @notice See {ICouncil}. It has no constructor: genesis places the code and fills the storage.
contract Council is ICouncil {
  using EnumerableSet for EnumerableSet.Bytes32Set;
  using EnumerableSet for EnumerableSet.UintSet;

  struct Motion {
    uint8 kind;
    uint8 status;
    bytes18 seat;
    uint64 expiresAt;
    address proposer;
    uint64 proposedAt;
    bytes arguments;
    string reason;
    Ballot[] ballots;
  }

  uint8 private constant OPEN = 1;
  uint8 private constant EXECUTED = 2;
  uint8 private constant CANCELLED = 3;
  uint8 private constant EXPIRED = 4;
  uint256 private constant MIN_SEATS = 4;
  uint256 private constant MAX_SEATS = 64;
  uint256 private constant MAX_OPEN_MOTIONS = 8;
  uint256 private constant MAX_ARGUMENT_BYTES = 4_096;
  uint256 private constant MAX_REASON_BYTES = 500;
  /// @dev With 749 and n >= 4 seats, floor(n * 0.749) + 1 <= n - 1.
  uint16 private constant MIN_THRESHOLD = 500;
  uint16 private constant MAX_THRESHOLD = 749;

  EnumerableSet.Bytes32Set private _seats; // slots 0 and 1; credit codes left-aligned

  mapping(uint8 kind => uint16 permille) private _thresholds; // slot 2; 0: the kind's default

  Motion[] private _motions; // slot 3

  /// @dev Slot 4. Motions that are neither executed nor cancelled; expired ones stay until the seat proposes again.
  mapping(bytes18 seat => EnumerableSet.UintSet) private _openOf;

  modifier onlyMotion() {
    require(msg.sender == address(this), CouncilMotionOnly(msg.sender));
    _;
  }

  // ------------------------------------------------------------------------------------------------ motions

  /// @inheritdoc ICouncil
  function propose(uint8 kind, bytes calldata arguments, string calldata reason)
    external
    returns (uint256 id)
  {
    bytes18 mySeat = _seatOfCaller();
    require(MotionKinds.isKnown(kind), CouncilInvalidKind(kind));
    require(
      arguments.length <= MAX_ARGUMENT_BYTES, CouncilArgumentsTooLong(arguments.length, MAX_ARGUMENT_BYTES)
    );
    require(
      bytes(reason).length <= MAX_REASON_BYTES, CouncilReasonTooLong(bytes(reason).length, MAX_REASON_BYTES)
    );
    _dropExpired(mySeat);
    require(
      _openOf[mySeat].length() < MAX_OPEN_MOTIONS, CouncilTooManyMotions(mySeat, MAX_OPEN_MOTIONS)
    );
    uint32 lifetime = IPolicyRegister(SystemContracts.POLICY_REGISTER).parameters().motionLifetime;
    id = _motions.length;
    Motion storage motion = _motions.push();
    motion.kind = kind;
    motion.status = OPEN;
    motion.seat = mySeat;
    motion.expiresAt = uint64(block.timestamp) + lifetime;
    motion.proposer = msg.sender;
    motion.proposedAt = uint64(block.timestamp);
    motion.arguments = arguments;
    motion.reason = reason;
    _openOf[mySeat].add(id);
    emit MotionProposed(id, mySeat, kind, arguments, reason, motion.expiresAt);
    _cast(id, motion, mySeat, true);
  }

  /// @inheritdoc ICouncil
  function vote(uint256 id, bool approve) external {
    bytes18 mySeat = _seatOfCaller();
    _cast(id, _openMotion(id), mySeat, approve);
  }

  /// @inheritdoc ICouncil
  function execute(uint256 id) external {
    bytes18 mySeat = _seatOfCaller();
    Motion storage motion = _openMotion(id);
    (uint256 approvals,) = _count(motion);
    uint256 needed = neededFor(motion.kind);
    require(approvals >= needed, CouncilTooFewVotes(id, approvals, needed));
    // Before the call: a motion that changes the council finds itself over.
    _close(id, motion, EXECUTED);
    _perform(id, motion.kind, motion.arguments);
    emit MotionExecuted(id, mySeat);
  }

  /// @inheritdoc ICouncil
  function cancel(uint256 id) external {
    bytes18 mySeat = _seatOfCaller();
    Motion storage motion = _openMotion(id);
    require(motion.seat == mySeat, CouncilNotProposer(id, motion.seat));
    _close(id, motion, CANCELLED);
    emit MotionCancelled(id, mySeat);
  }

  // ---------------------------------------------------------------------------- what motions do to the council

  /// @inheritdoc ICouncil
  function seat(bytes18 uscc) external onlyMotion {
    require(!isSeated(uscc), CouncilSeated(uscc));
    require(_seats.length() < MAX_SEATS, CouncilTooManySeats(MAX_SEATS));
    IOrganisationRegister register = IOrganisationRegister(SystemContracts.ORGANISATION_REGISTER);
    require(register.isActive(uscc) && register.meetsSeatMinimum(uscc), CouncilCannotSeat(uscc));
    _seats.add(bytes32(uscc));
    emit SeatTaken(uscc);
  }

  /// @inheritdoc ICouncil
  function unseat(bytes18 uscc) external onlyMotion {
    require(isSeated(uscc), CouncilSeatUnknown(uscc));
    require(_seats.length() > MIN_SEATS, CouncilTooFewSeats(MIN_SEATS));
    _seats.remove(bytes32(uscc));
    emit SeatVacated(uscc);
    EnumerableSet.UintSet storage open = _openOf[uscc];
    while (open.length() != 0) {
      uint256 id = open.at(open.length() - 1);
      bool isExpired = _statusOf(_motions[id]) == EXPIRED;
      _close(id, _motions[id], isExpired ? OPEN : CANCELLED);
      if (!isExpired) emit MotionCancelled(id, uscc);
    }
  }

  /// @inheritdoc ICouncil
  function setThreshold(uint8 kind, uint16 permille) external onlyMotion {
    require(MotionKinds.isKnown(kind), CouncilInvalidKind(kind));
    require(
      permille >= MIN_THRESHOLD && permille <= MAX_THRESHOLD, CouncilInvalidThreshold(permille)
    );
    _thresholds[kind] = permille;
    emit ThresholdChanged(kind, permille);
  }

  /// @inheritdoc ICouncil
  function handOver(address successor) external onlyMotion {
    require(_canGovern(successor), CouncilInvalidSuccessor(successor));
    IGoverned(SystemContracts.ORGANISATION_REGISTER).setGovernor(successor);
    IGoverned(SystemContracts.NODE_REGISTER).setGovernor(successor);
    IGoverned(SystemContracts.POLICY_REGISTER).setGovernor(successor);
    emit CouncilHandedOver(successor);
  }

  // -------------------------------------------------------------------------------------------------- views

  /// @inheritdoc ICouncil
  function seats() external view returns (bytes18[] memory usccs) {
    uint256 count = _seats.length();
    usccs = new bytes18[](count);
    for (uint256 index = 0; index < count; index++) usccs[index] = bytes18(_seats.at(index));
  }

  /// @inheritdoc ICouncil
  function isSeated(bytes18 uscc) public view returns (bool) {
    return _seats.contains(bytes32(uscc));
  }

  /// @inheritdoc ICouncil
  function motionCount() external view returns (uint256) {
    return _motions.length;
  }

  /// @inheritdoc ICouncil
  function motionOf(uint256 id) external view returns (MotionView memory) {
    Motion storage motion = _known(id);
    (uint256 approvals, uint256 rejections) = _count(motion);
    return MotionView({
      kind: motion.kind,
      status: _statusOf(motion),
      seat: motion.seat,
      proposer: motion.proposer,
      proposedAt: motion.proposedAt,
      expiresAt: motion.expiresAt,
      arguments: motion.arguments,
      reason: motion.reason,
      approvals: approvals,
      rejections: rejections,
      needed: neededFor(motion.kind)
    });
  }

  /// @inheritdoc ICouncil
  function votesOf(uint256 id) external view returns (Ballot[] memory) {
    return _known(id).ballots;
  }

  /// @inheritdoc ICouncil
  function thresholdOf(uint8 kind) public view returns (uint16 permille) {
    require(MotionKinds.isKnown(kind), CouncilInvalidKind(kind));
    permille = _thresholds[kind];
    if (permille == 0) permille = MotionKinds.defaultThresholdOf(kind);
  }

  /// @inheritdoc ICouncil
  function neededFor(uint8 kind) public view returns (uint256) {
    return _seats.length() * thresholdOf(kind) / 1_000 + 1;
  }

  /// @inheritdoc ICouncil
  function openMotions(uint256 offset, uint256 limit) external view returns (uint256[] memory ids) {
    uint256[] memory all = new uint256[](MAX_SEATS * MAX_OPEN_MOTIONS);
    uint256 count = 0;
    for (uint256 place = 0; place < _seats.length(); place++) {
      EnumerableSet.UintSet storage open = _openOf[bytes18(_seats.at(place))];
      for (uint256 index = 0; index < open.length(); index++) {
        uint256 id = open.at(index);
        if (_statusOf(_motions[id]) == OPEN) all[count++] = id;
      }
    }
    (uint256 start, uint256 end) = Pages.boundsOf(offset, limit, count);
    ids = new uint256[](end - start);
    for (uint256 index = start; index < end; index++) ids[index - start] = all[index];
  }

  // ------------------------------------------------------------------------------------------------- inside

  function _seatOfCaller() private view returns (bytes18 uscc) {
    uscc = IOrganisationRegister(SystemContracts.ORGANISATION_REGISTER).administeredBy(msg.sender);
    require(isSeated(uscc), CouncilNotSeated(msg.sender));
  }

  function _known(uint256 id) private view returns (Motion storage) {
    require(id < _motions.length, CouncilUnknownMotion(id));
    return _motions[id];
  }

  function _openMotion(uint256 id) private view returns (Motion storage motion) {
    motion = _known(id);
    uint8 status = _statusOf(motion);
    require(status == OPEN, CouncilNotOpen(id, status));
  }

  function _statusOf(Motion storage motion) private view returns (uint8) {
    return motion.status == OPEN && block.timestamp >= motion.expiresAt ? EXPIRED : motion.status;
  }

  function _close(uint256 id, Motion storage motion, uint8 status) private {
    motion.status = status;
    _openOf[motion.seat].remove(id);
  }

  function _dropExpired(bytes18 uscc) private {
    EnumerableSet.UintSet storage open = _openOf[uscc];
    // From the end: what takes the place of a removed entry has been looked at.
    for (uint256 index = open.length(); index > 0; index--) {
      uint256 id = open.at(index - 1);
      if (_statusOf(_motions[id]) == EXPIRED) open.remove(id);
    }
  }

  function _cast(uint256 id, Motion storage motion, bytes18 mySeat, bool approve) private {
    Ballot[] storage ballots = motion.ballots;
    uint256 place = 0;
    while (place < ballots.length && ballots[place].seat != mySeat) place++;
    if (place == ballots.length) ballots.push(Ballot(mySeat, approve));
    else ballots[place].approve = approve;
    emit MotionVoted(id, mySeat, approve);
  }

  /// @dev Only present seats count.
  function _count(Motion storage motion) private view returns (uint256 approvals, uint256 rejections) {
    Ballot[] storage ballots = motion.ballots;
    for (uint256 place = 0; place < ballots.length; place++) {
      Ballot memory ballot = ballots[place];
      if (!isSeated(ballot.seat)) continue;
      if (ballot.approve) approvals++;
      else rejections++;
    }
  }

  function _perform(uint256 id, uint8 kind, bytes memory arguments) private {
    (address target, bytes4 selector) = MotionKinds.callOf(kind);
    (bool ok, bytes memory answer) = target.call(bytes.concat(selector, arguments));
    if (ok) return;
    require(answer.length != 0, CouncilCallFailed(id));
    assembly ("memory-safe") {
      revert(add(answer, 0x20), mload(answer))
    }
  }

  /// @dev The registers ask their governor for seats: one that does not answer would stop them, and one that does not
  /// know the present seats would take them away.
  function _canGovern(address successor) private view returns (bool) {
    if (successor.code.length == 0 || successor == address(this)) return false;
    for (uint256 place = 0; place < _seats.length(); place++) {
      if (_seatedBy(successor, bytes18(_seats.at(place))) != 1) return false;
    }
    return _seatedBy(successor, bytes18(0)) == 0;
  }

  /// @return answer of `isSeated`, 0 or 1; 2 when it is no answer
  function _seatedBy(address successor, bytes18 uscc) private view returns (uint256) {
    (bool ok, bytes memory answer) = successor.staticcall(abi.encodeCall(ICouncil.isSeated, (uscc)));
    return ok && answer.length == 32 && uint256(bytes32(answer)) <= 1 ? uint256(bytes32(answer)) : 2;
  }
}
