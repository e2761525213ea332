// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGoverned} from "./IGoverned.sol";

/// @title Nodes and validators
/// @notice Which nodes may connect and which of them seal the chain's blocks. The chain calls {getValidators} on the
/// state after each block; the answer is the set that seals the next block. Node gates admit the keys of {getNodes}.
///
/// A node is known by the Ethereum address of its compressed secp256k1 key; validator address and peer id follow from the
/// same key. Super nodes (超级节点) and backbone nodes (骨干节点) have three responsible bodies: a government body, a telecom
/// operator and an operating entity, each of which confirms for itself. Service nodes (服务节点) follow the chain.
/// "[governor]" marks what only the governor may do, which is the council; "administrator" is the one of an active
/// organisation.
interface INodeRegister is IGoverned {
  /// @dev kind: 1 super, 2 backbone, 3 service. status: 0 none, 1 applied, 2 admitted, 3 active, 4 suspended, 5 retired.
  /// confirmations: 1 government, 2 telecom, 4 operator.
  struct Node {
    bytes32 keyX;
    uint8 keyPrefix; // 2 or 3; with keyX the compressed key
    uint8 kind;
    uint8 status;
    uint8 suspendedFrom; // the status to which reinstating leads back; 0 when not suspended
    bytes6 city; // GB/T 2260 digits
    bytes1 industry; // GB/T 4754 letter 'A' to 'T', or 0
    bytes4 acCode; // [a-z0-9], or 0
    uint64 since; // block time in seconds at which the status began
    uint8 confirmations;
    bytes18 government;
    bytes18 telecom;
    bytes18 operator;
    bytes32 endpointsHash;
    bytes32 documentsHash;
    address applicant;
    uint64 rotatedAt; // block time in seconds; 0 when the key is the first
    bytes18 suspendedBy; // the government body that suspended it; 0 when the council did
  }

  /// @notice What is needed to apply for a node.
  struct NodeApplication {
    bytes publicKey; // 33 bytes
    uint8 kind;
    bytes6 city;
    bytes1 industry;
    bytes18 government;
    bytes18 telecom;
    bytes18 operator;
    bytes32 endpointsHash;
    bytes32 documentsHash;
  }

  /// @notice A validator set and the first block that it seals.
  struct ValidatorChange {
    uint64 height;
    address[] validators; // ascending
  }

  /// @notice Somebody applied for a node. `applicationHash` is what the bodies confirm.
  event NodeApplied(
    address indexed node, address indexed applicant, bytes32 indexed applicationHash, NodeApplication application
  );
  /// @notice The applicant took its application back.
  event NodeApplicationWithdrawn(address indexed node, address indexed applicant);
  /// @notice A responsible body confirmed the application. `roles`: 1 government, 2 telecom, 4 operator.
  event NodeConfirmed(address indexed node, bytes18 indexed body, uint8 roles);
  /// @notice The node may connect.
  event NodeAdmitted(address indexed node);
  /// @notice The node may be elected validator.
  event NodeActivated(address indexed node);
  /// @notice The node may not connect until it is reinstated. `body` is zero when the council did it.
  event NodeSuspended(address indexed node, bytes18 indexed body, bytes32 reasonHash);
  /// @notice A suspended node is `status` again. `body` is zero when the council did it.
  event NodeReinstated(address indexed node, bytes18 indexed body, uint8 status);
  /// @notice The node may not connect any more.
  event NodeRetired(address indexed node);
  /// @notice The node's code in identifiers is `acCode`.
  event AcCodeIssued(address indexed node, bytes4 indexed acCode);
  /// @notice The code names no node any more.
  event AcCodeWithdrawn(address indexed node, bytes4 indexed acCode);
  /// @notice Other bodies answer for the node.
  event NodeBodiesChanged(address indexed node, bytes18 government, bytes18 telecom, bytes18 operator);
  /// @notice The node is reached elsewhere; the endpoints are known by their hash.
  event EndpointsHashChanged(address indexed node, bytes32 endpointsHash);
  /// @notice The node has another key, so another address; the entry under the old one is retired.
  event NodeKeyRotated(address indexed previous, address indexed next, bytes newPublicKey);
  /// @notice From block `height` on `validators` seal, unless a later event says otherwise.
  event ValidatorsChanged(uint64 indexed height, address[] validators);
  /// @notice `validator` left the present set and all that are scheduled, from the next block on.
  event ValidatorRemoved(address indexed validator);
  /// @notice `next` takes the place of `previous` in the present set and all that are scheduled, from the next block on.
  event ValidatorReplaced(address indexed previous, address indexed next);
  /// @notice The set scheduled for `height` will not come.
  event ValidatorChangeCancelled(uint64 indexed height);

  /// @notice Not a compressed secp256k1 public key: 33 bytes, 02 or 03 first, then the x of a point on the curve.
  error NodeRegisterInvalidKey(bytes publicKey);
  /// @notice The signature is not by the node's key over what it has to sign.
  error NodeRegisterInvalidSignature(address node);
  /// @notice None of the kinds 1 to 3.
  error NodeRegisterInvalidKind(uint8 kind);
  /// @notice Not six digits.
  error NodeRegisterInvalidCity(bytes6 city);
  /// @notice Neither zero nor a letter from 'A' to 'T'.
  error NodeRegisterInvalidIndustry(bytes1 industry);
  /// @notice The body for this role (1 government, 2 telecom, 4 operator) is missing, not active, or of another kind.
  error NodeRegisterInvalidBody(uint8 role, bytes18 uscc);
  /// @notice There is no such node, or its status does not allow this.
  error NodeRegisterWrongStatus(address node, uint8 status);
  /// @notice The caller is not the applicant.
  error NodeRegisterNotApplicant(address node, address caller);
  /// @notice The caller administers no body that may do this.
  error NodeRegisterNotBody(address node, address caller);
  /// @notice The application is another one now than the one to be confirmed.
  error NodeRegisterApplicationChanged(address node, bytes32 applicationHash);
  /// @notice Not every named body has confirmed.
  error NodeRegisterUnconfirmed(address node, uint8 confirmations, uint8 needed);
  /// @notice As many nodes may connect as the register holds.
  error NodeRegisterTooManyNodes(uint256 maximum);
  /// @notice The node is a validator, or is to become one.
  error NodeRegisterIsValidator(address node);
  /// @notice Not four characters of [a-z0-9].
  error NodeRegisterInvalidAcCode(bytes4 acCode);
  /// @notice The code names a node.
  error NodeRegisterAcCodeTaken(bytes4 acCode, address node);
  /// @notice The node has a code; it has to be withdrawn first.
  error NodeRegisterHasAcCode(address node, bytes4 acCode);
  /// @notice The code names no node.
  error NodeRegisterUnknownAcCode(bytes4 acCode);
  /// @notice A validator's key was exchanged less than a day ago; `notBefore` is a block time in seconds.
  error NodeRegisterRotatedRecently(address node, uint256 notBefore);
  /// @notice As many validators have exchanged their keys today (UTC), or been suspended, as a quorum may miss.
  error NodeRegisterTooMuchChurn(uint256 maximum);
  /// @notice Another key has taken this one's place; it does not come back.
  error NodeRegisterKeyReplaced(address node, address successor);
  /// @notice The node was admitted with just this before, or something else was applied for after it.
  error NodeRegisterApplicationSpent(address node, bytes32 applicationHash);
  /// @notice A change that adds nobody and removes nobody.
  error NodeRegisterNoChange();
  /// @notice Not an active node, or a member already.
  error NodeRegisterCannotAdd(address node);
  /// @notice No member of the set.
  error NodeRegisterCannotRemove(address node);
  /// @notice The set would be smaller than the policy's minimum, and smaller than it was.
  error NodeRegisterTooFewValidators(uint256 count, uint256 minimum);
  /// @notice More validators than a header carries.
  error NodeRegisterTooManyValidators(uint256 count, uint256 maximum);
  /// @notice More new validators than a set of the new size may miss and still seal.
  error NodeRegisterTooManyAdded(uint256 added, uint256 maximum);
  /// @notice The height is nearer than the policy's notice, or not above the last change that is scheduled.
  error NodeRegisterHeightTooLow(uint64 height, uint256 minimum);
  /// @notice As many changes are scheduled as may be.
  error NodeRegisterTooManyChanges(uint256 maximum);
  /// @notice No change is scheduled that has not yet come into force.
  error NodeRegisterNoPendingChange();

  /// @notice Applies for a node, with a proof that its key is there. An applicant may apply again over its own
  /// application; confirmations start anew.
  ///
  /// Requirements:
  /// - there is no such node, or it is retired, or the caller applied for it
  /// - its key was not rotated away
  /// - it says something new, such as other documents, after an admission or another application: what was signed before
  ///   that is spent. The last application may be sent again until it is admitted
  /// - key, kind, city and industry are valid
  /// - super and backbone nodes name an active government body (kind 1), telecom operator (kind 2) and operating entity
  ///   (kind 3); service nodes an active operator of any kind, and the others or not
  ///
  /// Emits {NodeApplied}.
  /// @param signature by the node's key, 65 bytes, over the EIP-712 struct
  /// `NodeApplication(bytes publicKey,uint8 kind,bytes6 city,bytes1 industry,bytes18 government,bytes18 telecom,bytes18 operator,bytes32 endpointsHash,bytes32 documentsHash,address applicant)`,
  /// whose applicant is the caller: what was signed for one is of no use to another
  function applyNode(NodeApplication calldata application, bytes calldata signature) external;

  /// @notice Takes an application back; the node is retired and may apply again.
  ///
  /// Requirements: the caller applied, the node is not admitted yet.
  ///
  /// Emits {NodeApplicationWithdrawn}.
  function withdrawApplication(address node) external;

  /// @notice Says yes to an application for every body of it that the caller administers.
  ///
  /// Requirements:
  /// - the caller administers one of the node's bodies
  /// - the node has applied, with the application that has this hash
  ///
  /// Emits {NodeConfirmed}.
  /// @param applicationHash {applicationHashOf} as the body saw it: an application that changes on the way is not confirmed
  function confirmBody(address node, bytes32 applicationHash) external;

  /// @notice [governor] Lets a node connect.
  ///
  /// Requirements:
  /// - it has applied, with the application that has this hash: what was voted on is what is admitted
  /// - every body that it names has confirmed and is still active
  /// - fewer than 1,024 nodes may connect
  ///
  /// Emits {NodeAdmitted}.
  function admitNode(address node, bytes32 applicationHash) external;

  /// @notice Declares a node ready to be elected validator.
  ///
  /// Requirements: the caller administers its operator; it is admitted.
  ///
  /// Emits {NodeActivated}.
  function activateNode(address node) external;

  /// @notice Shuts a node out until it is reinstated. A validator leaves the present set and all that are scheduled, from
  /// the next block on.
  ///
  /// Requirements:
  /// - the caller is the governor, or administers the node's government body and the node is no validator
  /// - the node is admitted or active
  /// - no set becomes smaller than the policy's minimum
  /// - with it, today's (UTC) suspensions of validators, of a scheduled set too, are no more than a quorum may miss;
  ///   {changeValidators}, which needs more votes, takes out others
  ///
  /// Emits {NodeSuspended}, and {ValidatorRemoved}.
  function suspendNode(address node, bytes32 reasonHash) external;

  /// @notice Makes a suspended node what it was. It does not become validator again by that.
  ///
  /// Requirements: the caller is the governor, or administers the node's government body, which suspended it.
  ///
  /// Emits {NodeReinstated}.
  function reinstateNode(address node) external;

  /// @notice Ends a node, or refuses its application. Its code is withdrawn; it may apply again.
  ///
  /// Requirements:
  /// - the caller is the governor or administers the node's operator
  /// - the node is in no validator set, present or scheduled
  ///
  /// Emits {NodeRetired}, and {AcCodeWithdrawn}.
  function retireNode(address node) external;

  /// @notice [governor] Gives a node its code in identifiers (did:bid's AC code).
  ///
  /// Requirements: the code is four characters of [a-z0-9] and free; the node is admitted, active or suspended, and has none.
  ///
  /// Emits {AcCodeIssued}.
  function issueAcCode(address node, bytes4 acCode) external;

  /// @notice [governor] Takes a code back.
  ///
  /// Emits {AcCodeWithdrawn}.
  function withdrawAcCode(bytes4 acCode) external;

  /// @notice [governor] Makes other bodies answer for a node. Who is new has not confirmed yet; on an application nobody has.
  ///
  /// Requirements: the node has applied or more and is not retired; the bodies are as {applyNode} wants them.
  ///
  /// Emits {NodeBodiesChanged}.
  function setNodeBodies(address node, bytes18 government, bytes18 telecom, bytes18 operator) external;

  /// @notice Names other endpoints, by their hash.
  ///
  /// Requirements: the caller administers the node's telecom operator, or its operator when it names no telecom operator;
  /// the node is admitted, active or suspended.
  ///
  /// Emits {EndpointsHashChanged}.
  function setEndpointsHash(address node, bytes32 endpointsHash) external;

  /// @notice Gives a node another key: everything moves to the new key's address, the old one is retired. A validator is
  /// exchanged in the present set and all that are scheduled, from the next block on.
  ///
  /// Requirements:
  /// - the caller administers the node's operator
  /// - the node is admitted, active or suspended; the new key has never been a node's
  /// - a validator's last rotation is 86,400 s of block time ago
  /// - with it, today's (UTC) rotations of validators are no more than a quorum may miss
  ///
  /// Emits {NodeKeyRotated}, and {ValidatorReplaced}.
  /// @param signature by the new key, 65 bytes, over the EIP-712 struct `Rotation(address node,bytes newPublicKey)`
  function rotateKey(address node, bytes calldata newPublicKey, bytes calldata signature) external;

  /// @notice [governor] Schedules another validator set, made from the last that is scheduled.
  ///
  /// Requirements:
  /// - every added node is active and no member, every removed one is a member
  /// - `height` is at least the policy's notice ahead, and above the last scheduled change
  /// - the set has at most 64 members, and no fewer than the policy's minimum, or than before where that is below it
  /// - at most max(1, floor((size - 1) / 3)) are added, so that the others can seal without them
  /// - at most 7 changes are scheduled before it
  ///
  /// Emits {ValidatorsChanged}.
  /// @param added in any order
  /// @param removed in any order
  /// @param height first block that the new set seals
  function changeValidators(address[] calldata added, address[] calldata removed, uint64 height) external;

  /// @notice [governor] Takes back the last scheduled change.
  ///
  /// Requirements: its set does not seal the next block yet.
  ///
  /// Emits {ValidatorChangeCancelled}.
  function cancelValidatorChange() external;

  /// @notice The set that seals the block after this one, ascending.
  function getValidators() external view returns (address[] memory validators);

  /// @notice The compressed secp256k1 public keys (33 bytes each) of all nodes that may connect, in no particular order.
  function getNodes() external view returns (bytes[] memory publicKeys);

  /// @notice What is known of a node; status 0 when there is none.
  function nodeOf(address node) external view returns (Node memory);

  /// @notice A node's compressed public key; empty when there is no such node.
  function publicKeyOf(address node) external view returns (bytes memory);

  /// @notice The key that took a node's place by {rotateKey}; zero when none did.
  function successorOf(address node) external view returns (address successor);

  /// @notice The EIP-712 struct hash of a node's application as it stands; zero when there is no such node.
  function applicationHashOf(address node) external view returns (bytes32);

  /// @notice How many nodes have ever applied.
  function nodeCount() external view returns (uint256);

  /// @notice A page of all nodes that have ever applied, in order; at most 256.
  function nodes(uint256 offset, uint256 limit) external view returns (address[] memory);

  /// @notice How many nodes may connect.
  function connectableCount() external view returns (uint256);

  /// @notice The changes that are not yet in force for the block after this one, soonest first.
  function pendingChanges() external view returns (ValidatorChange[] memory);

  /// @notice The node that an AC code names; zero when none.
  function nodeByAcCode(bytes4 acCode) external view returns (address);

  /// @notice Whether the node seals the block after this one.
  function isValidator(address node) external view returns (bool);
}
