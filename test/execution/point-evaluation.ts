import { bls12_381 } from '@noble/curves/bls12-381.js'
import { bytesToBigint, concatBytes, equalBytes, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { sha256 } from '@songhua/sdk/protocol/crypto'

const { G1, G2, fields, pairing } = bls12_381
const MODULUS = fields.Fr.ORDER
/** [s]₂ of Ethereum's KZG ceremony. */
const SETUP_G2 = G2.ProjectivePoint.fromHex('b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72'
  + '185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2')
/** Field elements of a blob, and the modulus. */
const ANSWER = concatBytes(hexToBytes(`0x${(4096).toString(16).padStart(64, '0')}`), hexToBytes(`0x${MODULUS.toString(16)}`))

/** EIP-4844's point evaluation, for the state tests that call it; the chain itself has no blobs. */
export function evaluatePoint(input: Uint8Array): Uint8Array | undefined {
  if (input.length !== 192) return undefined
  const commitmentBytes = input.subarray(96, 144)
  const versionedHash = sha256(commitmentBytes)
  versionedHash[0] = 1
  const z = bytesToBigint(input.subarray(32, 64))
  const y = bytesToBigint(input.subarray(64, 96))
  if (!equalBytes(versionedHash, input.subarray(0, 32)) || z >= MODULUS || y >= MODULUS) return undefined
  const commitment = readPoint(commitmentBytes)
  const proof = readPoint(input.subarray(144))
  if (commitment === undefined || proof === undefined) return undefined
  return isProved({ commitment, proof, z, y }) ? ANSWER : undefined
}

type G1Point = typeof G1.ProjectivePoint.BASE

function readPoint(bytes: Uint8Array): G1Point | undefined {
  try {
    if (bytes[0] === 0xc0 && bytes.subarray(1).every((byte) => byte === 0)) return G1.ProjectivePoint.ZERO
    const point = G1.ProjectivePoint.fromHex(bytes)
    point.assertValidity()
    return point
  } catch (error) {
    if (error instanceof Error) return undefined
    throw error
  }
}

/** e(C − [y]₁, [1]₂) = e(π, [s − z]₂) */
function isProved({ commitment, proof, z, y }: { commitment: G1Point; proof: G1Point; z: bigint; y: bigint }): boolean {
  const left = y === 0n ? commitment : commitment.subtract(G1.ProjectivePoint.BASE.multiply(y))
  const right = z === 0n ? SETUP_G2 : SETUP_G2.subtract(G2.ProjectivePoint.BASE.multiply(z))
  const one = fields.Fp12.ONE
  const pair = (a: G1Point, b: typeof SETUP_G2): typeof one => (a.equals(G1.ProjectivePoint.ZERO) || b.equals(G2.ProjectivePoint.ZERO) ? one : pairing(a, b))
  return fields.Fp12.eql(pair(left, G2.ProjectivePoint.BASE), pair(proof, right))
}
