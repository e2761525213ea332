// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title secp256k1 points
library Secp256k1 {
  uint256 private constant FIELD = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f;
  /// @dev (FIELD + 1) / 4: because FIELD mod 4 = 3, raising a square to it gives its root.
  uint256 private constant ROOT_EXPONENT = 0x3fffffffffffffffffffffffffffffffffffffffffffffffffffffffbfffff0c;
  address private constant MODEXP = address(5);

  /// @notice The Ethereum address of a compressed public key; zero when `key` is none.
  function addressOf(bytes memory key) internal view returns (address) {
    if (key.length != 33) return address(0);
    uint256 x;
    assembly ("memory-safe") {
      x := mload(add(key, 0x21))
    }
    return addressOf(uint8(key[0]), x);
  }

  /// @notice The Ethereum address of the point with this x whose y is even (prefix 2) or odd (prefix 3); zero when there
  /// is none.
  function addressOf(uint8 prefix, uint256 x) internal view returns (address) {
    if ((prefix != 2 && prefix != 3) || x >= FIELD) return address(0);
    uint256 square = addmod(mulmod(mulmod(x, x, FIELD), x, FIELD), 7, FIELD);
    (bool ok, bytes memory answer) =
      MODEXP.staticcall(abi.encode(uint256(32), uint256(32), uint256(32), square, ROOT_EXPONENT, FIELD));
    if (!ok || answer.length != 32) return address(0);
    uint256 y = abi.decode(answer, (uint256));
    if (mulmod(y, y, FIELD) != square) return address(0);
    // No point has y = 0: 7 is no cube's negative in this field. So both parities exist for every x that has a root.
    if (y & 1 != prefix & 1) y = FIELD - y;
    return address(uint160(uint256(keccak256(abi.encode(x, y)))));
  }
}
