// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The council of organisations that governs the chain
/// @notice Organisations with a seat propose motions, vote and carry them out. A seat acts by its organisation's
/// administrator; it has one vote. A motion needs floor(seats * permille / 1000) + 1 votes of present seats; with permille
/// from 500 to 749 and at least 4 seats, no seat governs alone and none can block the others.
///
/// Kinds, (F) fundamental: OrganisationRegister: 1 admitOrganisation, 2 suspendOrganisation, 3 reinstateOrganisation,
/// 4 setOrganisationRights, 5 (F) replaceAdministrator; Council: 6 (F) seat, 7 (F) unseat; NodeRegister: 8 admitNode,
/// 9 suspendNode, 10 reinstateNode, 11 retireNode, 12 issueAcCode, 13 withdrawAcCode, 14 (F) setNodeBodies,
/// 15 (F) changeValidators; PolicyRegister: 16 (F) setNewcomers, 17 (F) setReadLevels, 18 setReader, 19 (F) setParameters,
/// 20 (F) scheduleProtocol, 21 (F) cancelProtocol; Council: 22 (F) setThreshold, 23 (F) handOver; NodeRegister:
/// 24 (F) cancelValidatorChange. "[motion]" marks what only a motion may do.
interface ICouncil {
  /// @dev status: 1 open, 2 executed, 3 cancelled, 4 expired (an open motion whose time is over).
  struct MotionView {
    uint8 kind;
    uint8 status;
    bytes18 seat; // whose organisation proposed it
    address proposer;
    uint64 proposedAt; // block time in seconds
    uint64 expiresAt; // block time in seconds; from then on it is expired
    bytes arguments; // ABI-encoded arguments of the kind's function
    string reason;
    uint256 approvals; // of present seats
    uint256 rejections; // of present seats
    uint256 needed; // approvals, at present
  }

  /// @notice What a seat says of a motion.
  struct Ballot {
    bytes18 seat;
    bool approve;
  }

  /// @notice A seat proposed a motion, and said yes to it.
  event MotionProposed(
    uint256 indexed id, bytes18 indexed seat, uint8 indexed kind, bytes arguments, string reason, uint64 expiresAt
  );
  /// @notice A seat said yes or no. The last word counts.
  event MotionVoted(uint256 indexed id, bytes18 indexed seat, bool approve);
  /// @notice The motion is carried out; `seat` sent it.
  event MotionExecuted(uint256 indexed id, bytes18 indexed seat);
  /// @notice The motion will not be carried out: its seat took it back, or lost its place.
  event MotionCancelled(uint256 indexed id, bytes18 indexed seat);
  /// @notice The organisation has a seat.
  event SeatTaken(bytes18 indexed uscc);
  /// @notice The organisation has no seat any more.
  event SeatVacated(bytes18 indexed uscc);
  /// @notice Motions of this kind need more than `permille` of a thousand of the seats.
  event ThresholdChanged(uint8 indexed kind, uint16 permille);
  /// @notice The registers obey `successor` from now on.
  event CouncilHandedOver(address indexed successor);

  /// @notice The caller administers no organisation with a seat.
  error CouncilNotSeated(address caller);
  /// @notice Only a motion may do this.
  error CouncilMotionOnly(address caller);
  /// @notice None of the kinds 1 to 24.
  error CouncilInvalidKind(uint8 kind);
  /// @notice The reason has more bytes than are allowed.
  error CouncilReasonTooLong(uint256 length, uint256 maximum);
  /// @notice The arguments have more bytes than are allowed.
  error CouncilArgumentsTooLong(uint256 length, uint256 maximum);
  /// @notice The seat has as many open motions as it may have.
  error CouncilTooManyMotions(bytes18 seat, uint256 maximum);
  /// @notice There is no such motion.
  error CouncilUnknownMotion(uint256 id);
  /// @notice The motion is executed (2), cancelled (3) or expired (4).
  error CouncilNotOpen(uint256 id, uint8 status);
  /// @notice Another seat proposed the motion.
  error CouncilNotProposer(uint256 id, bytes18 seat);
  /// @notice Too few present seats say yes.
  error CouncilTooFewVotes(uint256 id, uint256 approvals, uint256 needed);
  /// @notice The call that the motion stands for failed without saying why: its arguments do not fit.
  error CouncilCallFailed(uint256 id);
  /// @notice The organisation has a seat.
  error CouncilSeated(bytes18 uscc);
  /// @notice The organisation has no seat.
  error CouncilSeatUnknown(bytes18 uscc);
  /// @notice The organisation is not active, or its rights are not enough for a seat.
  error CouncilCannotSeat(bytes18 uscc);
  /// @notice No more seats are possible.
  error CouncilTooManySeats(uint256 maximum);
  /// @notice No fewer seats are possible: one of fewer could block the others, or two could govern.
  error CouncilTooFewSeats(uint256 minimum);
  /// @notice Not from 500 to 749.
  error CouncilInvalidThreshold(uint16 permille);
  /// @notice The successor is no contract that could govern: it has no code, or does not answer isSeated(bytes18).
  error CouncilInvalidSuccessor(address successor);

  /// @notice Proposes a motion, and says yes to it for the caller's seat.
  ///
  /// Requirements:
  /// - the caller administers an organisation with a seat, which has fewer than 8 open motions
  /// - the kind is known; at most 4,096 bytes of arguments and 500 bytes of reason
  ///
  /// Emits {MotionProposed} and {MotionVoted}.
  /// @param arguments ABI-encoded arguments of the kind's function
  /// @return id counted from 0
  function propose(uint8 kind, bytes calldata arguments, string calldata reason) external returns (uint256 id);

  /// @notice Says yes or no for the caller's seat, or changes what it said.
  ///
  /// Requirements: the caller administers an organisation with a seat; the motion is open.
  ///
  /// Emits {MotionVoted}.
  function vote(uint256 id, bool approve) external;

  /// @notice Carries a motion out. Where that fails the motion stays open, and the call reverts with the same error.
  ///
  /// Requirements: the caller administers an organisation with a seat; the motion is open; enough present seats say yes.
  ///
  /// Emits {MotionExecuted}, and what the motion's function emits.
  function execute(uint256 id) external;

  /// @notice Takes a motion back.
  ///
  /// Requirements: the caller's seat proposed it; it is open.
  ///
  /// Emits {MotionCancelled}.
  function cancel(uint256 id) external;

  /// @notice [motion] Gives an organisation a seat.
  ///
  /// Requirements: it is active, has ADMINISTER, at least 20,000,000 gas and 1,000,000 bytes a day, and no seat; there are
  /// fewer than 64.
  ///
  /// Emits {SeatTaken}.
  function seat(bytes18 uscc) external;

  /// @notice [motion] Takes an organisation's seat away, and with it the motions that it has open.
  ///
  /// Requirements: it has a seat; there are more than 4.
  ///
  /// Emits {SeatVacated} and {MotionCancelled}.
  function unseat(bytes18 uscc) external;

  /// @notice [motion] Sets how many seats in a thousand are not yet enough for a kind.
  ///
  /// Requirements: the kind is known; `permille` is from 500 to 749.
  ///
  /// Emits {ThresholdChanged}.
  function setThreshold(uint8 kind, uint16 permille) external;

  /// @notice [motion] Makes another contract govern the registers.
  ///
  /// Requirements: the successor has code and answers isSeated(bytes18), which the registers ask: 1 for every present seat,
  /// 0 for none.
  ///
  /// Emits {CouncilHandedOver}; each register emits {IGoverned.GovernorChanged}.
  function handOver(address successor) external;

  /// @notice All seats, in no particular order.
  function seats() external view returns (bytes18[] memory usccs);

  /// @notice Whether the organisation has a seat.
  function isSeated(bytes18 uscc) external view returns (bool);

  /// @notice How many motions there have been; ids are below it.
  function motionCount() external view returns (uint256);

  /// @notice A motion as it stands.
  function motionOf(uint256 id) external view returns (MotionView memory);

  /// @notice What was said of a motion, each seat's last word, in the order of the first; former seats' too, which do not count.
  function votesOf(uint256 id) external view returns (Ballot[] memory);

  /// @notice How many seats in a thousand are not yet enough for a kind.
  function thresholdOf(uint8 kind) external view returns (uint16 permille);

  /// @notice How many seats have to say yes to a motion of this kind, at present.
  function neededFor(uint8 kind) external view returns (uint256);

  /// @notice A page of the open motions of all seats, by id in no particular order; at most 256.
  function openMotions(uint256 offset, uint256 limit) external view returns (uint256[] memory ids);
}
