// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegister} from "../interfaces/INodeRegister.sol";
import {IOrganisationRegister} from "../interfaces/IOrganisationRegister.sol";
import {SystemContracts} from "./SystemContracts.sol";

/// @title What an application for a node has to be, and what is signed
library NodeRules {
  uint8 internal constant SUPER = 1;
  uint8 internal constant BACKBONE = 2;
  uint8 internal constant SERVICE = 3;

  /// @dev Bits of the responsible bodies.
  uint8 internal constant GOVERNMENT = 1;
  uint8 internal constant TELECOM = 2;
  uint8 internal constant OPERATOR = 4;

  /// @dev Kinds of organisations.
  uint8 private constant GOVERNMENT_BODY = 1;
  uint8 private constant TELECOM_OPERATOR = 2;
  uint8 private constant OPERATING_ENTITY = 3;

  bytes32 private constant APPLICATION_TYPE_HASH = keccak256(
    "NodeApplication(bytes publicKey,uint8 kind,bytes6 city,bytes1 industry,bytes18 government,bytes18 telecom,bytes18 operator,bytes32 endpointsHash,bytes32 documentsHash,address applicant)"
  );
  bytes32 private constant ROTATION_TYPE_HASH = keccak256("Rotation(address node,bytes newPublicKey)");

  /// @notice The EIP-712 struct hash that the node's key signs, and the bodies confirm.
  function applicationHashOf(INodeRegister.NodeApplication memory application, address applicant)
    internal
    pure
    returns (bytes32)
  {
    return keccak256(
      abi.encode(
        APPLICATION_TYPE_HASH,
        keccak256(application.publicKey),
        application.kind,
        application.city,
        application.industry,
        application.government,
        application.telecom,
        application.operator,
        application.endpointsHash,
        application.documentsHash,
        applicant
      )
    );
  }

  /// @notice The EIP-712 struct hash that a node's new key signs.
  function rotationHashOf(address node, bytes memory newPublicKey) internal pure returns (bytes32) {
    return keccak256(abi.encode(ROTATION_TYPE_HASH, node, keccak256(newPublicKey)));
  }

  /// @notice The application as the register has it.
  function applicationOf(INodeRegister.Node memory node)
    internal
    pure
    returns (INodeRegister.NodeApplication memory)
  {
    return INodeRegister.NodeApplication({
      publicKey: abi.encodePacked(node.keyPrefix, node.keyX),
      kind: node.kind,
      city: node.city,
      industry: node.industry,
      government: node.government,
      telecom: node.telecom,
      operator: node.operator,
      endpointsHash: node.endpointsHash,
      documentsHash: node.documentsHash
    });
  }

  /// @notice Bits of the bodies that a node names.
  function namedBodies(INodeRegister.Node memory node) internal pure returns (uint8 roles) {
    if (node.government != 0) roles |= GOVERNMENT;
    if (node.telecom != 0) roles |= TELECOM;
    if (node.operator != 0) roles |= OPERATOR;
  }

  function checkKind(uint8 kind) internal pure {
    require(kind >= SUPER && kind <= SERVICE, INodeRegister.NodeRegisterInvalidKind(kind));
  }

  function checkCity(bytes6 city) internal pure {
    for (uint256 index = 0; index < 6; index++) {
      require(city[index] >= "0" && city[index] <= "9", INodeRegister.NodeRegisterInvalidCity(city));
    }
  }

  function checkIndustry(bytes1 industry) internal pure {
    require(
      industry == 0 || (industry >= "A" && industry <= "T"), INodeRegister.NodeRegisterInvalidIndustry(industry)
    );
  }

  function checkAcCode(bytes4 acCode) internal pure {
    for (uint256 index = 0; index < 4; index++) {
      bytes1 character = acCode[index];
      bool isFit = (character >= "0" && character <= "9") || (character >= "a" && character <= "z");
      require(isFit, INodeRegister.NodeRegisterInvalidAcCode(acCode));
    }
  }

  /// @notice Super and backbone nodes have three bodies of the right kinds; a service node has an operator of any kind.
  function checkBodies(uint8 kind, bytes18 government, bytes18 telecom, bytes18 operator) internal view {
    bool isService = kind == SERVICE;
    _checkBody(GOVERNMENT, government, GOVERNMENT_BODY, isService);
    _checkBody(TELECOM, telecom, TELECOM_OPERATOR, isService);
    _checkBody(OPERATOR, operator, isService ? 0 : OPERATING_ENTITY, false);
  }

  /// @param kind that the organisation must have; 0 for any
  function _checkBody(uint8 role, bytes18 uscc, uint8 kind, bool isOptional) private view {
    if (uscc == 0 && isOptional) return;
    uint8 actual = IOrganisationRegister(SystemContracts.ORGANISATION_REGISTER).activeKindOf(uscc);
    bool isFit = actual != 0 && (kind == 0 || actual == kind);
    require(isFit, INodeRegister.NodeRegisterInvalidBody(role, uscc));
  }
}
