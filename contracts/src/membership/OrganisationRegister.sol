// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";
import {ICouncil} from "../interfaces/ICouncil.sol";
import {IOrganisationRegister} from "../interfaces/IOrganisationRegister.sol";
import {Pages} from "../lib/Pages.sol";
import {Roles} from "../lib/Roles.sol";
import {TypedData} from "../lib/TypedData.sol";
import {Uscc} from "../lib/Uscc.sol";
import {Governed} from "./Governed.sol";

/// @title Organisation register
/// @notice See {IOrganisationRegister}. It has no constructor: genesis places the code and fills the storage
/// (`slots.ts` has the layout, which is part of the chain's format).
contract OrganisationRegister is IOrganisationRegister, Governed {
  using EnumerableSet for EnumerableSet.AddressSet;
  using EnumerableSet for EnumerableSet.Bytes32Set;

  uint8 private constant ACTIVE = 1;
  uint8 private constant SUSPENDED = 2;
  uint8 private constant LAST_KIND = 7;
  uint256 private constant MAX_NAME_BYTES = 100;
  uint256 private constant MAX_ACCOUNTS = 1_024;
  /// @dev The dearest motion, carried out once, and as much again.
  uint64 private constant SEAT_GAS_PER_DAY = 20_000_000;
  uint64 private constant SEAT_BYTES_PER_DAY = 1_000_000;
  bytes32 private constant BINDING_TYPE_HASH =
    keccak256("Binding(bytes18 organisation,address account,uint256 nonce)");

  mapping(bytes18 uscc => Organisation) private _organisations; // slot 1

  mapping(address account => Account) private _accounts; // slot 2

  EnumerableSet.Bytes32Set private _list; // slots 3 and 4

  mapping(bytes18 uscc => EnumerableSet.AddressSet) private _accountsOf; // slot 5

  /// @inheritdoc IOrganisationRegister
  mapping(address account => uint256 nonce) public bindingNonceOf; // slot 6

  // ----------------------------------------------------------------------------------------- for the governor

  /// @inheritdoc IOrganisationRegister
  function applyOrganisation(OrganisationEntry calldata entry, bytes32 documentsHash) external {
    _checkEntry(entry);
    emit OrganisationApplied(entry.uscc, msg.sender, entry, documentsHash);
  }

  /// @inheritdoc IOrganisationRegister
  function admitOrganisation(OrganisationEntry calldata entry) external onlyGovernor {
    _checkEntry(entry);
    _organisations[entry.uscc] = Organisation({
      status: ACTIVE,
      kind: entry.kind,
      roles: entry.roles,
      gasPerDay: entry.gasPerDay,
      bytesPerDay: entry.bytesPerDay,
      administrator: entry.administrator,
      since: uint64(block.timestamp),
      contactHash: entry.contactHash,
      nameZh: entry.nameZh,
      nameEn: entry.nameEn
    });
    _list.add(bytes32(entry.uscc));
    emit OrganisationAdmitted(entry.uscc, entry.administrator, entry);
    Account memory account =
      Account(entry.uscc, entry.roles | Roles.ADMINISTER, entry.gasPerDay, entry.bytesPerDay);
    _bind(entry.administrator, account);
  }

  /// @inheritdoc IOrganisationRegister
  function suspendOrganisation(bytes18 uscc) external onlyGovernor {
    Organisation storage organisation = _known(uscc);
    require(organisation.status == ACTIVE, OrganisationRegisterNotActive(uscc));
    require(!_isSeated(uscc), OrganisationRegisterSeated(uscc));
    _setStatus(organisation, SUSPENDED);
    emit OrganisationSuspended(uscc);
  }

  /// @inheritdoc IOrganisationRegister
  function reinstateOrganisation(bytes18 uscc) external onlyGovernor {
    Organisation storage organisation = _known(uscc);
    require(organisation.status == SUSPENDED, OrganisationRegisterNotSuspended(uscc));
    _setStatus(organisation, ACTIVE);
    emit OrganisationReinstated(uscc);
  }

  /// @inheritdoc IOrganisationRegister
  function setOrganisationRights(bytes18 uscc, uint16 roles, uint64 gasPerDay, uint64 bytesPerDay)
    external
    onlyGovernor
  {
    Organisation storage organisation = _known(uscc);
    require(Roles.isWithin(roles, Roles.ALL), OrganisationRegisterInvalidRoles(roles));
    organisation.roles = roles;
    organisation.gasPerDay = gasPerDay;
    organisation.bytesPerDay = bytesPerDay;
    require(
      _meetsSeatMinimum(organisation) || !_isSeated(uscc), OrganisationRegisterBelowSeatMinimum(uscc)
    );
    emit OrganisationRightsChanged(uscc, roles, gasPerDay, bytesPerDay);
    _raiseAdministrator(organisation);
  }

  /// @inheritdoc IOrganisationRegister
  function replaceAdministrator(bytes18 uscc, address next) external onlyGovernor {
    Organisation storage organisation = _known(uscc);
    address previous = organisation.administrator;
    bytes18 bound = _accounts[next].organisation;
    require(next != address(0) && next != previous, OrganisationRegisterInvalidAdministrator(next));
    require(bound == 0 || bound == uscc, OrganisationRegisterAccountBound(next, bound));
    Account memory rights = _accounts[previous];
    organisation.administrator = next;
    emit AdministratorReplaced(uscc, previous, next);
    _release(previous, uscc);
    if (bound == 0) _bind(next, rights);
    else _change(next, rights);
  }

  // ------------------------------------------------------------------------------------ for administrators

  /// @inheritdoc IOrganisationRegister
  function bindAccount(
    address account,
    uint16 roles,
    uint64 gasPerDay,
    uint64 bytesPerDay,
    bytes calldata signature
  ) external {
    bytes18 uscc = _administered();
    bytes18 bound = _accounts[account].organisation;
    require(bound == 0, OrganisationRegisterAccountBound(account, bound));
    require(
      Roles.isWithin(roles, _organisations[uscc].roles), OrganisationRegisterInvalidRoles(roles)
    );
    require(
      _accountsOf[uscc].length() < MAX_ACCOUNTS, OrganisationRegisterTooManyAccounts(uscc, MAX_ACCOUNTS)
    );
    uint256 nonce = bindingNonceOf[account];
    bytes32 structHash = keccak256(abi.encode(BINDING_TYPE_HASH, uscc, account, nonce));
    // Nobody's signature recovers to the zero address, so it cannot be bound.
    require(
      account != address(0) && TypedData.signerOf(structHash, signature) == account,
      OrganisationRegisterInvalidConsent(account, nonce)
    );
    _bind(account, Account(uscc, roles, gasPerDay, bytesPerDay));
  }

  /// @inheritdoc IOrganisationRegister
  function changeAccount(address account, uint16 roles, uint64 gasPerDay, uint64 bytesPerDay) external {
    bytes18 uscc = _administered();
    require(_accounts[account].organisation == uscc, OrganisationRegisterAccountNotBound(account));
    Organisation storage organisation = _organisations[uscc];
    uint16 allowed = organisation.roles;
    if (account == msg.sender) {
      require(roles & Roles.ADMINISTER != 0, OrganisationRegisterInvalidRoles(roles));
      allowed |= Roles.ADMINISTER;
      (uint64 gasMinimum, uint64 bytesMinimum) = _administratorMinimum(organisation);
      require(
        gasPerDay >= gasMinimum && bytesPerDay >= bytesMinimum,
        OrganisationRegisterBelowAdministratorMinimum(account)
      );
    }
    require(Roles.isWithin(roles, allowed), OrganisationRegisterInvalidRoles(roles));
    _change(account, Account(uscc, roles, gasPerDay, bytesPerDay));
  }

  /// @inheritdoc IOrganisationRegister
  function releaseAccount(address account) external {
    bytes18 uscc = _accounts[account].organisation;
    require(uscc != 0, OrganisationRegisterAccountNotBound(account));
    require(
      msg.sender == account || administeredBy(msg.sender) == uscc,
      OrganisationRegisterNotAdministrator(msg.sender)
    );
    require(
      _organisations[uscc].administrator != account, OrganisationRegisterIsAdministrator(account)
    );
    _release(account, uscc);
  }

  /// @inheritdoc IOrganisationRegister
  function revokeConsents() external {
    uint256 nonce = ++bindingNonceOf[msg.sender];
    emit ConsentsRevoked(msg.sender, nonce);
  }

  /// @inheritdoc IOrganisationRegister
  function setContactHash(bytes32 contactHash) external {
    bytes18 uscc = _administered();
    _organisations[uscc].contactHash = contactHash;
    emit ContactHashChanged(uscc, contactHash);
  }

  // ------------------------------------------------------------------------------------------------- views

  /// @inheritdoc IOrganisationRegister
  function organisationOf(bytes18 uscc) external view returns (Organisation memory) {
    return _organisations[uscc];
  }

  /// @inheritdoc IOrganisationRegister
  function accountOf(address account) external view returns (Account memory) {
    return _accounts[account];
  }

  /// @inheritdoc IOrganisationRegister
  function administratorOf(bytes18 uscc) external view returns (address) {
    return _organisations[uscc].administrator;
  }

  /// @inheritdoc IOrganisationRegister
  function hasRole(address account, uint16 roles) external view returns (bool) {
    Account storage bound = _accounts[account];
    Organisation storage organisation = _organisations[bound.organisation];
    // No organisation has the code zero, so an account that is bound to none finds none that is active.
    return organisation.status == ACTIVE && Roles.isWithin(roles, bound.roles & organisation.roles);
  }

  /// @inheritdoc IOrganisationRegister
  function isActive(bytes18 uscc) public view returns (bool) {
    return _organisations[uscc].status == ACTIVE;
  }

  /// @inheritdoc IOrganisationRegister
  function administeredBy(address account) public view returns (bytes18) {
    bytes18 uscc = _accounts[account].organisation;
    Organisation storage organisation = _organisations[uscc];
    return organisation.status == ACTIVE && organisation.administrator == account ? uscc : bytes18(0);
  }

  /// @inheritdoc IOrganisationRegister
  function activeKindOf(bytes18 uscc) external view returns (uint8) {
    return isActive(uscc) ? _organisations[uscc].kind : 0;
  }

  /// @inheritdoc IOrganisationRegister
  function meetsSeatMinimum(bytes18 uscc) external view returns (bool) {
    return _meetsSeatMinimum(_organisations[uscc]);
  }

  /// @inheritdoc IOrganisationRegister
  function organisationCount() external view returns (uint256) {
    return _list.length();
  }

  /// @inheritdoc IOrganisationRegister
  function organisations(uint256 offset, uint256 limit) external view returns (bytes18[] memory usccs) {
    (uint256 start, uint256 end) = Pages.boundsOf(offset, limit, _list.length());
    usccs = new bytes18[](end - start);
    for (uint256 index = start; index < end; index++) usccs[index - start] = bytes18(_list.at(index));
  }

  /// @inheritdoc IOrganisationRegister
  function accountCountOf(bytes18 uscc) external view returns (uint256) {
    return _accountsOf[uscc].length();
  }

  /// @inheritdoc IOrganisationRegister
  function accountsOf(bytes18 uscc, uint256 offset, uint256 limit) external view returns (address[] memory) {
    EnumerableSet.AddressSet storage accounts = _accountsOf[uscc];
    (uint256 start, uint256 end) = Pages.boundsOf(offset, limit, accounts.length());
    return accounts.values(start, end);
  }

  // ------------------------------------------------------------------------------------------------- inside

  function _checkEntry(OrganisationEntry calldata entry) private view {
    require(Uscc.isValid(entry.uscc), OrganisationRegisterInvalidUscc(entry.uscc));
    require(_organisations[entry.uscc].status == 0, OrganisationRegisterExists(entry.uscc));
    require(entry.kind != 0 && entry.kind <= LAST_KIND, OrganisationRegisterInvalidKind(entry.kind));
    require(Roles.isWithin(entry.roles, Roles.ALL), OrganisationRegisterInvalidRoles(entry.roles));
    _checkName(entry.nameZh);
    _checkName(entry.nameEn);
    require(
      entry.administrator != address(0), OrganisationRegisterInvalidAdministrator(entry.administrator)
    );
    bytes18 bound = _accounts[entry.administrator].organisation;
    require(bound == 0, OrganisationRegisterAccountBound(entry.administrator, bound));
  }

  function _checkName(string calldata name) private pure {
    uint256 length = bytes(name).length;
    require(length != 0 && length <= MAX_NAME_BYTES, OrganisationRegisterInvalidName(name));
  }

  function _known(bytes18 uscc) private view returns (Organisation storage organisation) {
    organisation = _organisations[uscc];
    require(organisation.status != 0, OrganisationRegisterUnknown(uscc));
  }

  function _administered() private view returns (bytes18 uscc) {
    uscc = administeredBy(msg.sender);
    require(uscc != 0, OrganisationRegisterNotAdministrator(msg.sender));
  }

  function _isSeated(bytes18 uscc) private view returns (bool) {
    return ICouncil(governor).isSeated(uscc);
  }

  function _setStatus(Organisation storage organisation, uint8 status) private {
    organisation.status = status;
    organisation.since = uint64(block.timestamp);
  }

  function _meetsSeatMinimum(Organisation storage organisation) private view returns (bool) {
    return organisation.roles & Roles.ADMINISTER != 0 && organisation.gasPerDay >= SEAT_GAS_PER_DAY
      && organisation.bytesPerDay >= SEAT_BYTES_PER_DAY;
  }

  /// @dev An administrator whose own quota is used up by its own mistake could not mend it.
  function _administratorMinimum(Organisation storage organisation)
    private
    view
    returns (uint64 gasPerDay, uint64 bytesPerDay)
  {
    gasPerDay = organisation.gasPerDay;
    if (gasPerDay > SEAT_GAS_PER_DAY) gasPerDay = SEAT_GAS_PER_DAY;
    bytesPerDay = organisation.bytesPerDay;
    if (bytesPerDay > SEAT_BYTES_PER_DAY) bytesPerDay = SEAT_BYTES_PER_DAY;
  }

  function _raiseAdministrator(Organisation storage organisation) private {
    (uint64 gasMinimum, uint64 bytesMinimum) = _administratorMinimum(organisation);
    Account memory account = _accounts[organisation.administrator];
    if (account.gasPerDay >= gasMinimum && account.bytesPerDay >= bytesMinimum) return;
    if (account.gasPerDay < gasMinimum) account.gasPerDay = gasMinimum;
    if (account.bytesPerDay < bytesMinimum) account.bytesPerDay = bytesMinimum;
    _change(organisation.administrator, account);
  }

  function _bind(address account, Account memory rights) private {
    _accounts[account] = rights;
    _accountsOf[rights.organisation].add(account);
    emit AccountBound(rights.organisation, account, rights.roles, rights.gasPerDay, rights.bytesPerDay);
  }

  function _change(address account, Account memory rights) private {
    _accounts[account] = rights;
    emit AccountChanged(rights.organisation, account, rights.roles, rights.gasPerDay, rights.bytesPerDay);
  }

  function _release(address account, bytes18 uscc) private {
    delete _accounts[account];
    _accountsOf[uscc].remove(account);
    bindingNonceOf[account]++;
    emit AccountReleased(uscc, account);
  }
}
