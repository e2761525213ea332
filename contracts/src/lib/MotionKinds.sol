// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICouncil} from "../interfaces/ICouncil.sol";
import {INodeRegister} from "../interfaces/INodeRegister.sol";
import {IOrganisationRegister} from "../interfaces/IOrganisationRegister.sol";
import {IPolicyRegister} from "../interfaces/IPolicyRegister.sol";
import {SystemContracts} from "./SystemContracts.sol";

/// @title Kinds of motions: which function of which contract each calls
/// @dev A kind's number never changes its meaning: motions that are open refer to it.
library MotionKinds {
  uint8 internal constant LAST = 24;
  uint16 private constant ORDINARY_PERMILLE = 500;
  uint16 private constant FUNDAMENTAL_PERMILLE = 666;
  /// @dev Bit n is set for a fundamental kind n: 5 to 7, 14 to 17, 19 to 24.
  uint256 private constant FUNDAMENTAL = 0x1fbc0e0;

  function isKnown(uint8 kind) internal pure returns (bool) {
    return kind != 0 && kind <= LAST;
  }

  function defaultThresholdOf(uint8 kind) internal pure returns (uint16 permille) {
    return FUNDAMENTAL >> kind & 1 == 1 ? FUNDAMENTAL_PERMILLE : ORDINARY_PERMILLE;
  }

  /// @notice What a motion of a known kind calls.
  function callOf(uint8 kind) internal view returns (address target, bytes4 selector) {
    if (kind <= 5) return (SystemContracts.ORGANISATION_REGISTER, _ofOrganisations(kind));
    if (kind <= 7 || kind == 22 || kind == 23) return (address(this), _ofCouncil(kind));
    if (kind <= 15 || kind == 24) return (SystemContracts.NODE_REGISTER, _ofNodes(kind));
    return (SystemContracts.POLICY_REGISTER, _ofPolicy(kind));
  }

  function _ofOrganisations(uint8 kind) private pure returns (bytes4) {
    if (kind == 1) return IOrganisationRegister.admitOrganisation.selector;
    if (kind == 2) return IOrganisationRegister.suspendOrganisation.selector;
    if (kind == 3) return IOrganisationRegister.reinstateOrganisation.selector;
    if (kind == 4) return IOrganisationRegister.setOrganisationRights.selector;
    return IOrganisationRegister.replaceAdministrator.selector;
  }

  function _ofCouncil(uint8 kind) private pure returns (bytes4) {
    if (kind == 6) return ICouncil.seat.selector;
    if (kind == 7) return ICouncil.unseat.selector;
    if (kind == 22) return ICouncil.setThreshold.selector;
    return ICouncil.handOver.selector;
  }

  function _ofNodes(uint8 kind) private pure returns (bytes4) {
    if (kind == 8) return INodeRegister.admitNode.selector;
    if (kind == 9) return INodeRegister.suspendNode.selector;
    if (kind == 10) return INodeRegister.reinstateNode.selector;
    if (kind == 11) return INodeRegister.retireNode.selector;
    if (kind == 12) return INodeRegister.issueAcCode.selector;
    if (kind == 13) return INodeRegister.withdrawAcCode.selector;
    if (kind == 14) return INodeRegister.setNodeBodies.selector;
    if (kind == 15) return INodeRegister.changeValidators.selector;
    return INodeRegister.cancelValidatorChange.selector;
  }

  function _ofPolicy(uint8 kind) private pure returns (bytes4) {
    if (kind == 16) return IPolicyRegister.setNewcomers.selector;
    if (kind == 17) return IPolicyRegister.setReadLevels.selector;
    if (kind == 18) return IPolicyRegister.setReader.selector;
    if (kind == 19) return IPolicyRegister.setParameters.selector;
    if (kind == 20) return IPolicyRegister.scheduleProtocol.selector;
    return IPolicyRegister.cancelProtocol.selector;
  }
}
