import { TypedDataEncoder, type TypedDataField } from 'ethers'
import { type Address, type Hash, type Hex, ZERO_HASH, bytesToHex, hexToBytes } from '../protocol/bytes.js'
import { signDigest } from '../protocol/crypto.js'
import { SonghuaError } from '../connection/songhua-error.js'
import { NODE_KINDS, type NodeKind, addressOption, numberOf, textToHex, usccToHex } from './codes.js'
import { NODE_REGISTER, ORGANISATION_REGISTER, type SystemContract, typedDomain } from './contracts.js'

/** A node that wants to join, as its operator fills it in. */
export interface NodeApplication {
  /** Compressed secp256k1, 33 bytes: `songhua keys show`. */
  readonly publicKey: Hex
  readonly kind: NodeKind
  /** GB/T 2260, 6 digits. */
  readonly city: string
  /** GB/T 4754, A to T. */
  readonly industry?: string
  /** Credit codes of the bodies behind it; a service node needs the operator alone. */
  readonly government?: string
  readonly telecom?: string
  readonly operator: string
  readonly endpointsHash?: Hash
  readonly documentsHash?: Hash
}

const NO_BODY: Hex = `0x${'00'.repeat(18)}`

const APPLICATION_FIELDS: TypedDataField[] = [
  { name: 'publicKey', type: 'bytes' }, { name: 'kind', type: 'uint8' }, { name: 'city', type: 'bytes6' },
  { name: 'industry', type: 'bytes1' }, { name: 'government', type: 'bytes18' }, { name: 'telecom', type: 'bytes18' },
  { name: 'operator', type: 'bytes18' }, { name: 'endpointsHash', type: 'bytes32' }, { name: 'documentsHash', type: 'bytes32' },
  { name: 'applicant', type: 'address' },
]
const BINDING_FIELDS: TypedDataField[] = [
  { name: 'organisation', type: 'bytes18' }, { name: 'account', type: 'address' }, { name: 'nonce', type: 'uint256' },
]
const ROTATION_FIELDS: TypedDataField[] = [{ name: 'node', type: 'address' }, { name: 'newPublicKey', type: 'bytes' }]

/** By the names of the contract's struct. @throws SonghuaError `OPTION_INVALID` */
function applicationStruct(application: NodeApplication): Record<string, unknown> {
  const { publicKey, kind, city, industry, government, telecom, operator, endpointsHash, documentsHash } = application
  if (!/^[0-9]{6}$/.test(city)) throw new SonghuaError('OPTION_INVALID', `city is ${city}; it must be 6 digits of GB/T 2260`, { field: 'city' })
  return {
    publicKey, kind: numberOf(NODE_KINDS, kind, 'kind'), city: textToHex(city, 6, 'city'), industry: textToHex(industry ?? '', 1, 'industry'),
    government: government === undefined ? NO_BODY : usccToHex(government, 'government'),
    telecom: telecom === undefined ? NO_BODY : usccToHex(telecom, 'telecom'), operator: usccToHex(operator, 'operator'),
    endpointsHash: endpointsHash ?? ZERO_HASH, documentsHash: documentsHash ?? ZERO_HASH,
  }
}

export const applicationToAbi = (application: NodeApplication): unknown[] => Object.values(applicationStruct(application))

/** An EIP-712 signature, 65 bytes with v 27 or 28, as the contracts take it. */
interface Signing {
  readonly contract: SystemContract
  readonly chainId: number
  readonly name: string
  readonly fields: TypedDataField[]
  readonly value: Record<string, unknown>
}

function signTyped(key: Uint8Array, { contract, chainId, name, fields, value }: Signing): Hex {
  const digest = TypedDataEncoder.hash(typedDomain(contract, chainId), { [name]: fields }, value)
  const signature = signDigest(hexToBytes(digest), key)
  const wire = new Uint8Array(signature)
  wire[64]! += 27
  return bytesToHex(wire)
}

/**
 * Proof that the applicant holds the node's key.
 * @param applicant the account that sends the application: nobody else can take it for its own
 */
export function signNodeApplication(
  application: NodeApplication,
  { nodeKey, applicant, chainId }: { nodeKey: Uint8Array; applicant: string; chainId: number },
): Hex {
  const value = { ...applicationStruct(application), applicant: addressOption(applicant, 'applicant') }
  return signTyped(nodeKey, { contract: NODE_REGISTER, chainId, name: 'NodeApplication', fields: APPLICATION_FIELDS, value })
}

/** Proof that the operator holds the node's new key. */
export function signRotation(node: string, newPublicKey: Hex, { newKey, chainId }: { newKey: Uint8Array; chainId: number }): Hex {
  const value = { node: addressOption(node, 'node'), newPublicKey: bytesToHex(hexToBytes(newPublicKey, 'newPublicKey')) }
  return signTyped(newKey, { contract: NODE_REGISTER, chainId, name: 'Rotation', fields: ROTATION_FIELDS, value })
}

/** What an account says yes to: that this organisation binds it, once. */
export interface BindingConsent {
  readonly uscc: string
  readonly account: Address
  /** `Governance.bindingNonce`: each release and each revocation raises it. */
  readonly nonce: bigint
}

export function signBinding({ uscc, account, nonce }: BindingConsent, accountKey: Uint8Array, chainId: number): Hex {
  const value = { organisation: usccToHex(uscc), account, nonce }
  return signTyped(accountKey, { contract: ORGANISATION_REGISTER, chainId, name: 'Binding', fields: BINDING_FIELDS, value })
}
