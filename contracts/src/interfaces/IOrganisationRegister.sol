// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IGoverned} from "./IGoverned.sol";

/// @title Organisations and their accounts
/// @notice Who takes part, under which unified social credit code (统一社会信用代码, GB 32100-2015), with which roles and
/// which quotas of a day. The chain reads roles and quotas from this contract's storage.
///
/// Roles are bits: ANCHOR 1, DEPLOY 2, ISSUE 4, ADMINISTER 8, READ 16, APPLY 32. What counts for an account is what both
/// it and its organisation have. Quotas count gas and bytes of raw transactions for a day of Beijing time; 2^64 - 1
/// means no limit. "[governor]" marks what only the governor may do, which is the council.
interface IOrganisationRegister is IGoverned {
  /// @dev status: 0 none, 1 active, 2 suspended. kind: 1 government body, 2 telecom operator, 3 operating entity,
  /// 4 enterprise, 5 court, 6 notary, 7 bank. The layout is part of the chain's format.
  struct Organisation {
    uint8 status;
    uint8 kind;
    uint16 roles;
    uint64 gasPerDay;
    uint64 bytesPerDay;
    address administrator;
    uint64 since; // block time in seconds at which the status began
    bytes32 contactHash;
    string nameZh;
    string nameEn;
  }

  /// @dev An account bound to no organisation is all zero. The layout is part of the chain's format.
  struct Account {
    bytes18 organisation;
    uint16 roles;
    uint64 gasPerDay;
    uint64 bytesPerDay;
  }

  /// @notice What is needed to admit an organisation.
  struct OrganisationEntry {
    bytes18 uscc;
    uint8 kind;
    uint16 roles;
    string nameZh; // 1 to 100 bytes of UTF-8
    string nameEn; // 1 to 100 bytes of UTF-8
    bytes32 contactHash;
    address administrator;
    uint64 gasPerDay;
    uint64 bytesPerDay;
  }

  /// @notice Somebody asks for an organisation to be admitted. Nothing is stored: the entry is for the council to propose.
  event OrganisationApplied(
    bytes18 indexed uscc, address indexed sender, OrganisationEntry entry, bytes32 documentsHash
  );
  /// @notice The organisation is active.
  event OrganisationAdmitted(bytes18 indexed uscc, address indexed administrator, OrganisationEntry entry);
  /// @notice Its accounts have no rights until it is reinstated.
  event OrganisationSuspended(bytes18 indexed uscc);
  /// @notice A suspended organisation is active again.
  event OrganisationReinstated(bytes18 indexed uscc);
  /// @notice The organisation's roles and quotas are these now.
  event OrganisationRightsChanged(bytes18 indexed uscc, uint16 roles, uint64 gasPerDay, uint64 bytesPerDay);
  /// @notice Another account administers the organisation; the previous one is released.
  event AdministratorReplaced(bytes18 indexed uscc, address indexed previous, address indexed next);
  /// @notice The organisation's contact is another, known by its hash.
  event ContactHashChanged(bytes18 indexed uscc, bytes32 contactHash);
  /// @notice The account acts for the organisation.
  event AccountBound(
    bytes18 indexed uscc, address indexed account, uint16 roles, uint64 gasPerDay, uint64 bytesPerDay
  );
  /// @notice The account's roles and quotas are these now.
  event AccountChanged(
    bytes18 indexed uscc, address indexed account, uint16 roles, uint64 gasPerDay, uint64 bytesPerDay
  );
  /// @notice The account acts for nobody any more.
  event AccountReleased(bytes18 indexed uscc, address indexed account);
  /// @notice Whatever consent the account gave before is void; `nonce` is what the next one has to name.
  event ConsentsRevoked(address indexed account, uint256 nonce);

  /// @notice Not 18 characters of [0-9A-HJ-NPQRTUWXY] with the right check character.
  error OrganisationRegisterInvalidUscc(bytes18 uscc);
  /// @notice None of the kinds 1 to 7.
  error OrganisationRegisterInvalidKind(uint8 kind);
  /// @notice A name is empty, or has more than 100 bytes.
  error OrganisationRegisterInvalidName(string name);
  /// @notice Roles that do not exist, or that the organisation does not have, or an administrator without ADMINISTER.
  error OrganisationRegisterInvalidRoles(uint16 roles);
  /// @notice The zero address administers nothing.
  error OrganisationRegisterInvalidAdministrator(address administrator);
  /// @notice The organisation has been admitted before.
  error OrganisationRegisterExists(bytes18 uscc);
  /// @notice No such organisation has been admitted.
  error OrganisationRegisterUnknown(bytes18 uscc);
  /// @notice The organisation is not active.
  error OrganisationRegisterNotActive(bytes18 uscc);
  /// @notice The organisation is not suspended.
  error OrganisationRegisterNotSuspended(bytes18 uscc);
  /// @notice The organisation has a seat in the council; it has to be unseated first.
  error OrganisationRegisterSeated(bytes18 uscc);
  /// @notice Less than a seat in the council needs: ADMINISTER, 20,000,000 gas and 1,000,000 bytes a day.
  error OrganisationRegisterBelowSeatMinimum(bytes18 uscc);
  /// @notice Less than an administrator's account needs to act: 20,000,000 gas and 1,000,000 bytes a day, or as much as
  /// its organisation has.
  error OrganisationRegisterBelowAdministratorMinimum(address account);
  /// @notice The caller administers no active organisation, or not the account's.
  error OrganisationRegisterNotAdministrator(address caller);
  /// @notice The account is bound to an organisation.
  error OrganisationRegisterAccountBound(address account, bytes18 uscc);
  /// @notice The account is bound to no organisation.
  error OrganisationRegisterAccountNotBound(address account);
  /// @notice An administrator cannot be released, only replaced.
  error OrganisationRegisterIsAdministrator(address account);
  /// @notice The signature is not the account's over this organisation and the account's present nonce.
  error OrganisationRegisterInvalidConsent(address account, uint256 nonce);
  /// @notice The organisation has as many accounts as it may have.
  error OrganisationRegisterTooManyAccounts(bytes18 uscc, uint256 maximum);

  /// @notice Asks for an organisation to be admitted. Anyone may; it is for the log, nothing is stored.
  ///
  /// Requirements: as {admitOrganisation}, but for the caller.
  ///
  /// Emits {OrganisationApplied}.
  /// @param documentsHash of the documents that go with it, which stay off the chain
  function applyOrganisation(OrganisationEntry calldata entry, bytes32 documentsHash) external;

  /// @notice [governor] Admits an organisation. Its administrator becomes its first account, with its roles, ADMINISTER,
  /// and its quotas, or with what an administrator needs at least when it has less.
  ///
  /// Requirements:
  /// - the code is valid and not admitted; kind, roles and names are valid
  /// - the administrator is not zero and bound to no organisation
  ///
  /// Emits {OrganisationAdmitted} and {AccountBound}.
  function admitOrganisation(OrganisationEntry calldata entry) external;

  /// @notice [governor] Takes an organisation's rights away until it is reinstated.
  ///
  /// Requirements: it is active and has no seat in the council.
  ///
  /// Emits {OrganisationSuspended}.
  function suspendOrganisation(bytes18 uscc) external;

  /// @notice [governor] Gives a suspended organisation its rights back.
  ///
  /// Emits {OrganisationReinstated}.
  function reinstateOrganisation(bytes18 uscc) external;

  /// @notice [governor] Sets roles and quotas. What its accounts have is left as it is; the lesser of both counts.
  ///
  /// Requirements:
  /// - the organisation has been admitted, the roles exist
  /// - with a seat in the council: ADMINISTER, at least 20,000,000 gas and 1,000,000 bytes
  ///
  /// Emits {OrganisationRightsChanged}, and {AccountChanged} when the administrator's account is raised to its minimum.
  function setOrganisationRights(bytes18 uscc, uint16 roles, uint64 gasPerDay, uint64 bytesPerDay) external;

  /// @notice [governor] Gives an organisation whose administrator's key is lost another one, with the roles and quotas
  /// of the one before, which is released.
  ///
  /// Requirements: `next` is not zero, not the present administrator, and bound to no other organisation.
  ///
  /// Emits {AdministratorReplaced}, {AccountReleased}, and {AccountBound} or {AccountChanged}.
  function replaceAdministrator(bytes18 uscc, address next) external;

  /// @notice Binds an account to the caller's organisation, with the account's consent.
  ///
  /// Requirements:
  /// - the caller administers an active organisation with fewer than 1,024 accounts
  /// - the account is not zero and bound to no organisation
  /// - the roles are among the organisation's
  ///
  /// Emits {AccountBound}.
  /// @param signature the account's, 65 bytes, over the EIP-712 struct
  /// `Binding(bytes18 organisation,address account,uint256 nonce)` with the account's {bindingNonceOf}
  function bindAccount(
    address account,
    uint16 roles,
    uint64 gasPerDay,
    uint64 bytesPerDay,
    bytes calldata signature
  ) external;

  /// @notice Sets roles and quotas of an account of the caller's organisation, its own included.
  ///
  /// Requirements:
  /// - the caller administers an active organisation, which the account belongs to
  /// - the roles are among the organisation's; the administrator keeps ADMINISTER and what it needs to act
  ///
  /// Emits {AccountChanged}.
  function changeAccount(address account, uint16 roles, uint64 gasPerDay, uint64 bytesPerDay) external;

  /// @notice Unbinds an account. Consents that it has given before are void.
  ///
  /// Requirements:
  /// - the caller is the account, or administers its active organisation
  /// - the account is not its organisation's administrator
  ///
  /// Emits {AccountReleased}.
  function releaseAccount(address account) external;

  /// @notice Makes void whatever consent the caller has given and nobody has used.
  ///
  /// Emits {ConsentsRevoked}.
  function revokeConsents() external;

  /// @notice Names another contact of the caller's organisation, by its hash.
  ///
  /// Requirements: the caller administers an active organisation.
  ///
  /// Emits {ContactHashChanged}.
  function setContactHash(bytes32 contactHash) external;

  /// @notice What is known of an organisation; status 0 when there is none.
  function organisationOf(bytes18 uscc) external view returns (Organisation memory);

  /// @notice What an account is bound to; organisation zero when to none.
  function accountOf(address account) external view returns (Account memory);

  /// @notice An organisation's administrator, whatever its status; zero when there is no such organisation.
  function administratorOf(bytes18 uscc) external view returns (address);

  /// @notice Whether the account's organisation is active and both have all of these roles. False for `roles` zero of an
  /// account that is bound to nothing.
  function hasRole(address account, uint16 roles) external view returns (bool);

  /// @notice Whether there is such an organisation and it is active.
  function isActive(bytes18 uscc) external view returns (bool);

  /// @notice The active organisation that the account administers; zero when none.
  function administeredBy(address account) external view returns (bytes18 uscc);

  /// @notice The kind of an active organisation; zero when there is none, or it is suspended.
  function activeKindOf(bytes18 uscc) external view returns (uint8);

  /// @notice Whether an organisation's rights are what a seat in the council needs.
  function meetsSeatMinimum(bytes18 uscc) external view returns (bool);

  /// @notice How many organisations have been admitted.
  function organisationCount() external view returns (uint256);

  /// @notice A page of all organisations, in order of admission; at most 256.
  function organisations(uint256 offset, uint256 limit) external view returns (bytes18[] memory usccs);

  /// @notice How many accounts an organisation has.
  function accountCountOf(bytes18 uscc) external view returns (uint256);

  /// @notice A page of an organisation's accounts, in no particular order; at most 256.
  function accountsOf(bytes18 uscc, uint256 offset, uint256 limit) external view returns (address[] memory);

  /// @notice The nonce that the account's next consent has to name.
  function bindingNonceOf(address account) external view returns (uint256);
}
