// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {INodeRegister} from "../interfaces/INodeRegister.sol";
import {IOrganisationRegister} from "../interfaces/IOrganisationRegister.sol";
import {IPolicyRegister} from "../interfaces/IPolicyRegister.sol";
import {NodeRules} from "../lib/NodeRules.sol";
import {Pages} from "../lib/Pages.sol";
import {Secp256k1} from "../lib/Secp256k1.sol";
import {SortedAddresses} from "../lib/SortedAddresses.sol";
import {SystemContracts} from "../lib/SystemContracts.sol";
import {TypedData} from "../lib/TypedData.sol";
import {ValidatorChurn} from "../lib/ValidatorChurn.sol";
import {ValidatorSchedule} from "../lib/ValidatorSchedule.sol";
import {Governed} from "./Governed.sol";

/// @title Node register
/// @notice See {INodeRegister}. It has no constructor: genesis places the code and fills the storage
/// (`slots.ts` has the layout, which is part of the chain's format).
contract NodeRegister is INodeRegister, Governed {
  using EnumerableSet for EnumerableSet.AddressSet;
  using SortedAddresses for address[];
  using ValidatorChurn for ValidatorChurn.Churn;
  using ValidatorSchedule for ValidatorSchedule.Schedule;

  uint8 private constant NONE = 0;
  uint8 private constant APPLIED = 1;
  uint8 private constant ADMITTED = 2;
  uint8 private constant ACTIVE = 3;
  uint8 private constant SUSPENDED = 4;
  uint8 private constant RETIRED = 5;
  uint256 private constant MAX_CONNECTABLE = 1_024;
  uint256 private constant MAX_VALIDATORS = 64;
  uint256 private constant MAX_PENDING = 8;

  mapping(address node => Node) private _nodes; // slot 1

  EnumerableSet.AddressSet private _connectable; // slots 2 and 3; admitted and active

  EnumerableSet.AddressSet private _all; // slots 4 and 5; whoever applied

  /// @inheritdoc INodeRegister
  mapping(bytes4 acCode => address node) public nodeByAcCode; // slot 6

  ValidatorSchedule.Schedule private _schedule; // slots 7 and 8

  ValidatorChurn.Churn private _churn; // slot 9

  /// @inheritdoc INodeRegister
  mapping(address node => address successor) public successorOf; // slot 10

  mapping(bytes32 applicationHash => bool isSpent) private _spent; // slot 11; by an admission, or by a later application of the node

  mapping(address node => bytes32 applicationHash) private _signed; // slot 12; of those that applied

  // -------------------------------------------------------------------------------------------- applications

  /// @inheritdoc INodeRegister
  function applyNode(NodeApplication calldata application, bytes calldata signature) external {
    address node = Secp256k1.addressOf(application.publicKey);
    require(node != address(0), NodeRegisterInvalidKey(application.publicKey));
    NodeRules.checkKind(application.kind);
    NodeRules.checkCity(application.city);
    NodeRules.checkIndustry(application.industry);
    NodeRules.checkBodies(
      application.kind, application.government, application.telecom, application.operator
    );
    Node storage entry = _nodes[node];
    require(
      entry.status == NONE || entry.status == RETIRED || entry.status == APPLIED,
      NodeRegisterWrongStatus(node, entry.status)
    );
    require(
      entry.status != APPLIED || entry.applicant == msg.sender, NodeRegisterNotApplicant(node, msg.sender)
    );
    require(successorOf[node] == address(0), NodeRegisterKeyReplaced(node, successorOf[node]));
    bytes32 applicationHash = NodeRules.applicationHashOf(application, msg.sender);
    // Whoever kept the signature of a life that is over cannot begin another with it.
    require(!_spent[applicationHash], NodeRegisterApplicationSpent(node, applicationHash));
    require(TypedData.signerOf(applicationHash, signature) == node, NodeRegisterInvalidSignature(node));
    // Nor with that of an application before the last.
    if (_signed[node] != applicationHash) _spent[_signed[node]] = true;
    _store(node, application);
    _signed[node] = applicationHash;
    _all.add(node);
    emit NodeApplied(node, msg.sender, applicationHash, application);
  }

  /// @inheritdoc INodeRegister
  function withdrawApplication(address node) external {
    Node storage entry = _withStatus(node, APPLIED);
    require(entry.applicant == msg.sender, NodeRegisterNotApplicant(node, msg.sender));
    _setStatus(entry, RETIRED);
    emit NodeApplicationWithdrawn(node, msg.sender);
  }

  /// @inheritdoc INodeRegister
  function confirmBody(address node, bytes32 applicationHash) external {
    Node storage entry = _withStatus(node, APPLIED);
    bytes18 uscc = _organisationOfCaller();
    uint8 roles = 0;
    if (uscc != 0) {
      if (entry.government == uscc) roles |= NodeRules.GOVERNMENT;
      if (entry.telecom == uscc) roles |= NodeRules.TELECOM;
      if (entry.operator == uscc) roles |= NodeRules.OPERATOR;
    }
    require(roles != 0, NodeRegisterNotBody(node, msg.sender));
    _requireUnchanged(node, applicationHash);
    entry.confirmations |= roles;
    emit NodeConfirmed(node, uscc, roles);
  }

  /// @inheritdoc INodeRegister
  function admitNode(address node, bytes32 applicationHash) external onlyGovernor {
    Node storage entry = _withStatus(node, APPLIED);
    _requireUnchanged(node, applicationHash);
    uint8 needed = NodeRules.namedBodies(entry);
    require(
      entry.confirmations == needed, NodeRegisterUnconfirmed(node, entry.confirmations, needed)
    );
    NodeRules.checkBodies(entry.kind, entry.government, entry.telecom, entry.operator);
    _setStatus(entry, ADMITTED);
    // The council may have changed its bodies since: what was signed could be sent again, and so could its like.
    _spent[_signed[node]] = true;
    _spent[applicationHash] = true;
    _connect(node);
    emit NodeAdmitted(node);
  }

  // ------------------------------------------------------------------------------------------- a node's life

  /// @inheritdoc INodeRegister
  function activateNode(address node) external {
    Node storage entry = _withStatus(node, ADMITTED);
    _requireBody(node, entry.operator);
    _setStatus(entry, ACTIVE);
    emit NodeActivated(node);
  }

  /// @inheritdoc INodeRegister
  function suspendNode(address node, bytes32 reasonHash) external {
    Node storage entry = _nodes[node];
    bytes18 body = _governorOrBody(node, entry.government);
    require(
      entry.status == ADMITTED || entry.status == ACTIVE, NodeRegisterWrongStatus(node, entry.status)
    );
    require(body == 0 || !_schedule.holds(node), NodeRegisterIsValidator(node));
    entry.suspendedFrom = entry.status;
    entry.suspendedBy = body;
    _setStatus(entry, SUSPENDED);
    _connectable.remove(node);
    emit NodeSuspended(node, body, reasonHash);
    _schedule.fold();
    uint256 count = _schedule.next().length;
    if (!_schedule.remove(node, _policy().minValidators)) return;
    _churn.countSuspension(count);
    emit ValidatorRemoved(node);
  }

  /// @inheritdoc INodeRegister
  function reinstateNode(address node) external {
    Node storage entry = _withStatus(node, SUSPENDED);
    bytes18 body = _governorOrBody(node, entry.government);
    require(body == 0 || entry.suspendedBy == body, NodeRegisterNotBody(node, msg.sender));
    uint8 status = entry.suspendedFrom;
    _setStatus(entry, status);
    _connect(node);
    emit NodeReinstated(node, body, status);
  }

  /// @inheritdoc INodeRegister
  function retireNode(address node) external {
    Node storage entry = _nodes[node];
    _governorOrBody(node, entry.operator);
    require(
      entry.status != NONE && entry.status != RETIRED, NodeRegisterWrongStatus(node, entry.status)
    );
    require(!_schedule.holds(node), NodeRegisterIsValidator(node));
    _setStatus(entry, RETIRED);
    _connectable.remove(node);
    emit NodeRetired(node);
    if (entry.acCode != 0) _withdrawAcCode(node, entry.acCode);
  }

  /// @inheritdoc INodeRegister
  function rotateKey(address node, bytes calldata newPublicKey, bytes calldata signature) external {
    Node storage entry = _living(node);
    _requireBody(node, entry.operator);
    address next = Secp256k1.addressOf(newPublicKey);
    require(next != address(0), NodeRegisterInvalidKey(newPublicKey));
    require(_nodes[next].status == NONE, NodeRegisterWrongStatus(next, _nodes[next].status));
    bytes32 structHash = NodeRules.rotationHashOf(node, newPublicKey);
    require(TypedData.signerOf(structHash, signature) == next, NodeRegisterInvalidSignature(next));
    uint256 notBefore = entry.rotatedAt == 0 ? 0 : uint256(entry.rotatedAt) + 1 days;
    require(
      block.timestamp >= notBefore || !_schedule.holds(node), NodeRegisterRotatedRecently(node, notBefore)
    );
    _move(node, next, newPublicKey);
    emit NodeKeyRotated(node, next, newPublicKey);
    _schedule.fold();
    if (!_schedule.replace(node, next)) return;
    _churn.countRotation(_schedule.next().length);
    emit ValidatorReplaced(node, next);
  }

  // ------------------------------------------------------------------------------------- what a node is given

  /// @inheritdoc INodeRegister
  function issueAcCode(address node, bytes4 acCode) external onlyGovernor {
    NodeRules.checkAcCode(acCode);
    Node storage entry = _living(node);
    require(entry.acCode == 0, NodeRegisterHasAcCode(node, entry.acCode));
    address holder = nodeByAcCode[acCode];
    require(holder == address(0), NodeRegisterAcCodeTaken(acCode, holder));
    entry.acCode = acCode;
    nodeByAcCode[acCode] = node;
    emit AcCodeIssued(node, acCode);
  }

  /// @inheritdoc INodeRegister
  function withdrawAcCode(bytes4 acCode) external onlyGovernor {
    address node = nodeByAcCode[acCode];
    require(node != address(0), NodeRegisterUnknownAcCode(acCode));
    _withdrawAcCode(node, acCode);
  }

  /// @inheritdoc INodeRegister
  function setNodeBodies(address node, bytes18 government, bytes18 telecom, bytes18 operator)
    external
    onlyGovernor
  {
    Node storage entry = _nodes[node];
    require(
      entry.status != NONE && entry.status != RETIRED, NodeRegisterWrongStatus(node, entry.status)
    );
    NodeRules.checkBodies(entry.kind, government, telecom, operator);
    // Who has confirmed an application has confirmed it with its partners.
    uint8 kept = entry.status == APPLIED ? 0 : entry.confirmations;
    if (entry.government != government) kept &= ~NodeRules.GOVERNMENT;
    if (entry.telecom != telecom) kept &= ~NodeRules.TELECOM;
    if (entry.operator != operator) kept &= ~NodeRules.OPERATOR;
    entry.confirmations = kept;
    entry.government = government;
    entry.telecom = telecom;
    entry.operator = operator;
    emit NodeBodiesChanged(node, government, telecom, operator);
  }

  /// @inheritdoc INodeRegister
  function setEndpointsHash(address node, bytes32 endpointsHash) external {
    Node storage entry = _living(node);
    _requireBody(node, entry.telecom == 0 ? entry.operator : entry.telecom);
    entry.endpointsHash = endpointsHash;
    emit EndpointsHashChanged(node, endpointsHash);
  }

  // ---------------------------------------------------------------------------------------------- validators

  /// @inheritdoc INodeRegister
  function changeValidators(address[] calldata added, address[] calldata removed, uint64 height)
    external
    onlyGovernor
  {
    require(added.length + removed.length != 0, NodeRegisterNoChange());
    IPolicyRegister.Parameters memory policy = _policy();
    _schedule.fold();
    _checkHeight(height, policy.validatorNotice);
    address[] storage base = _schedule.last();
    address[] memory validators = _changed(base, added, removed);
    uint256 count = validators.length;
    // A set that is below the minimum, because the minimum was raised, may grow and may exchange members.
    require(
      count >= policy.minValidators || count >= base.length,
      NodeRegisterTooFewValidators(count, policy.minValidators)
    );
    require(count <= MAX_VALIDATORS, NodeRegisterTooManyValidators(count, MAX_VALIDATORS));
    uint256 mayMiss = ValidatorChurn.mayMiss(count);
    require(added.length <= mayMiss, NodeRegisterTooManyAdded(added.length, mayMiss));
    _schedule.push(height, validators);
    emit ValidatorsChanged(height, validators);
  }

  /// @inheritdoc INodeRegister
  function cancelValidatorChange() external onlyGovernor {
    _schedule.fold();
    uint256 count = _schedule.pending.length;
    require(count != 0, NodeRegisterNoPendingChange());
    uint64 height = _schedule.pending[count - 1].height;
    // The set of the next block stays: the one before it is over, and suspensions and rotations have passed it by.
    require(height > block.number + 1, NodeRegisterNoPendingChange());
    _schedule.pending.pop();
    emit ValidatorChangeCancelled(height);
  }

  /// @inheritdoc INodeRegister
  function getValidators() external view returns (address[] memory validators) {
    return _schedule.next();
  }

  /// @inheritdoc INodeRegister
  function pendingChanges() external view returns (ValidatorChange[] memory changes) {
    ValidatorChange[] storage pending = _schedule.pending;
    uint256 first = pending.length;
    while (first > 0 && pending[first - 1].height > block.number + 1) first--;
    changes = new ValidatorChange[](pending.length - first);
    for (uint256 index = 0; index < changes.length; index++) changes[index] = pending[first + index];
  }

  /// @inheritdoc INodeRegister
  function isValidator(address node) external view returns (bool) {
    return ValidatorSchedule.contains(_schedule.next(), node);
  }

  // --------------------------------------------------------------------------------------------------- views

  /// @inheritdoc INodeRegister
  function getNodes() external view returns (bytes[] memory publicKeys) {
    uint256 count = _connectable.length();
    publicKeys = new bytes[](count);
    for (uint256 index = 0; index < count; index++) publicKeys[index] = publicKeyOf(_connectable.at(index));
  }

  /// @inheritdoc INodeRegister
  function nodeOf(address node) external view returns (Node memory) {
    return _nodes[node];
  }

  /// @inheritdoc INodeRegister
  function publicKeyOf(address node) public view returns (bytes memory) {
    Node storage entry = _nodes[node];
    return entry.status == NONE ? bytes("") : abi.encodePacked(entry.keyPrefix, entry.keyX);
  }

  /// @inheritdoc INodeRegister
  function applicationHashOf(address node) public view returns (bytes32) {
    Node memory entry = _nodes[node];
    if (entry.status == NONE) return 0;
    return NodeRules.applicationHashOf(NodeRules.applicationOf(entry), entry.applicant);
  }

  /// @inheritdoc INodeRegister
  function nodeCount() external view returns (uint256) {
    return _all.length();
  }

  /// @inheritdoc INodeRegister
  function nodes(uint256 offset, uint256 limit) external view returns (address[] memory) {
    (uint256 start, uint256 end) = Pages.boundsOf(offset, limit, _all.length());
    return _all.values(start, end);
  }

  /// @inheritdoc INodeRegister
  function connectableCount() external view returns (uint256) {
    return _connectable.length();
  }

  // -------------------------------------------------------------------------------------------------- inside

  function _store(address node, NodeApplication calldata application) private {
    Node storage entry = _nodes[node];
    entry.keyX = bytes32(application.publicKey[1:]);
    entry.keyPrefix = uint8(application.publicKey[0]);
    entry.kind = application.kind;
    _setStatus(entry, APPLIED);
    entry.city = application.city;
    entry.industry = application.industry;
    entry.confirmations = 0;
    entry.government = application.government;
    entry.telecom = application.telecom;
    entry.operator = application.operator;
    entry.endpointsHash = application.endpointsHash;
    entry.documentsHash = application.documentsHash;
    entry.applicant = msg.sender;
    entry.rotatedAt = 0;
  }

  /// @dev A status other than suspended leaves nothing of a suspension behind.
  function _setStatus(Node storage entry, uint8 status) private {
    entry.status = status;
    entry.since = uint64(block.timestamp);
    if (status == SUSPENDED) return;
    entry.suspendedFrom = 0;
    if (entry.suspendedBy != 0) entry.suspendedBy = 0;
  }

  function _connect(address node) private {
    require(_connectable.length() < MAX_CONNECTABLE, NodeRegisterTooManyNodes(MAX_CONNECTABLE));
    _connectable.add(node);
  }

  function _move(address node, address next, bytes calldata newPublicKey) private {
    Node storage old = _nodes[node];
    Node memory entry = old;
    entry.keyX = bytes32(newPublicKey[1:]);
    entry.keyPrefix = uint8(newPublicKey[0]);
    entry.rotatedAt = uint64(block.timestamp);
    _nodes[next] = entry;
    _all.add(next);
    if (_connectable.remove(node)) _connectable.add(next);
    if (entry.acCode != 0) nodeByAcCode[entry.acCode] = next;
    old.acCode = 0;
    successorOf[node] = next;
    _setStatus(old, RETIRED);
  }

  function _withdrawAcCode(address node, bytes4 acCode) private {
    _nodes[node].acCode = 0;
    delete nodeByAcCode[acCode];
    emit AcCodeWithdrawn(node, acCode);
  }

  /// @dev Strictly above the last: two changes at one height would be one, with twice as many added.
  function _checkHeight(uint64 height, uint32 notice) private view {
    uint256 count = _schedule.pending.length;
    require(count < MAX_PENDING, NodeRegisterTooManyChanges(MAX_PENDING));
    uint256 minimum = block.number + notice;
    if (count != 0) {
      uint256 last = _schedule.pending[count - 1].height;
      if (last >= minimum) minimum = last + 1;
    }
    require(height >= minimum, NodeRegisterHeightTooLow(height, minimum));
  }

  function _changed(address[] storage base, address[] calldata added, address[] calldata removed)
    private
    view
    returns (address[] memory validators)
  {
    address[] memory members = base;
    uint256 count = members.length;
    for (uint256 index = 0; index < removed.length; index++) {
      require(members.remove(count, removed[index]), NodeRegisterCannotRemove(removed[index]));
      count--;
    }
    validators = new address[](count + added.length);
    for (uint256 index = 0; index < count; index++) validators[index] = members[index];
    for (uint256 index = 0; index < added.length; index++) {
      address node = added[index];
      Node storage entry = _nodes[node];
      bool isFit = entry.status == ACTIVE && entry.kind != NodeRules.SERVICE
        && !ValidatorSchedule.contains(base, node);
      require(isFit && validators.insert(count, node), NodeRegisterCannotAdd(node));
      count++;
    }
  }

  function _withStatus(address node, uint8 status) private view returns (Node storage entry) {
    entry = _nodes[node];
    require(entry.status == status, NodeRegisterWrongStatus(node, entry.status));
  }

  /// @dev Admitted, active or suspended.
  function _living(address node) private view returns (Node storage entry) {
    entry = _nodes[node];
    require(
      entry.status >= ADMITTED && entry.status <= SUSPENDED, NodeRegisterWrongStatus(node, entry.status)
    );
  }

  function _requireUnchanged(address node, bytes32 applicationHash) private view {
    bytes32 present = applicationHashOf(node);
    require(present == applicationHash, NodeRegisterApplicationChanged(node, present));
  }

  function _organisationOfCaller() private view returns (bytes18) {
    return IOrganisationRegister(SystemContracts.ORGANISATION_REGISTER).administeredBy(msg.sender);
  }

  function _requireBody(address node, bytes18 body) private view {
    require(
      body != 0 && _organisationOfCaller() == body, NodeRegisterNotBody(node, msg.sender)
    );
  }

  /// @return the body for which the caller acts; zero for the governor
  function _governorOrBody(address node, bytes18 body) private view returns (bytes18) {
    if (msg.sender == governor) return 0;
    _requireBody(node, body);
    return body;
  }

  function _policy() private view returns (IPolicyRegister.Parameters memory) {
    return IPolicyRegister(SystemContracts.POLICY_REGISTER).parameters();
  }
}
