import { TypedDataEncoder, type TypedDataField } from 'ethers'
import { type Address, type Hash, type Hex, ZERO_HASH, bytesToHex, hexToBytes } from '../protocol/bytes.js'
import { SIGNATURE_BYTES, recoverAddress, signDigest } from '../protocol/crypto.js'
import { isCodedError } from '../protocol/errors.js'
import { SonghuaError } from '../connection/songhua-error.js'
import { NODE_KINDS, type NodeKind, addressOption, numberOf, textToHex, usccToHex } from './codes.js'
import { NODE_REGISTER, ORGANISATION_REGISTER, type SystemContract, typedDomain } from './contracts.js'
import { type OrganisationEntry, entryToAbi } from './motions.js'

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

/** What Ethereum adds to the parity of a signature's point. */
const V_OFFSET = 27
const NO_BODY: Hex = `0x${'00'.repeat(18)}`

const APPLICATION_FIELDS: TypedDataField[] = [
  { name: 'publicKey', type: 'bytes' }, { name: 'kind', type: 'uint8' }, { name: 'city', type: 'bytes6' },
  { name: 'industry', type: 'bytes1' }, { name: 'government', type: 'bytes18' }, { name: 'telecom', type: 'bytes18' },
  { name: 'operator', type: 'bytes18' }, { name: 'endpointsHash', type: 'bytes32' }, { name: 'documentsHash', type: 'bytes32' },
  { name: 'applicant', type: 'address' },
]
const ORGANISATION_FIELDS: TypedDataField[] = [
  { name: 'organisation', type: 'bytes18' }, { name: 'kind', type: 'uint8' }, { name: 'roles', type: 'uint16' },
  { name: 'nameZh', type: 'string' }, { name: 'nameEn', type: 'string' }, { name: 'contactHash', type: 'bytes32' },
  { name: 'administrator', type: 'address' }, { name: 'gasPerDay', type: 'uint64' }, { name: 'bytesPerDay', type: 'uint64' },
  { name: 'documentsHash', type: 'bytes32' },
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

/** A struct that is signed for a system contract. */
interface Signing {
  readonly contract: SystemContract
  readonly chainId: number
  readonly name: string
  readonly fields: TypedDataField[]
  readonly value: Record<string, unknown>
}

const digestOf = ({ contract, chainId, name, fields, value }: Signing): Uint8Array =>
  hexToBytes(TypedDataEncoder.hash(typedDomain(contract, chainId), { [name]: fields }, value))

/** An EIP-712 signature, 65 bytes with v 27 or 28, as the contracts take it. */
function signTyped(key: Uint8Array, signing: Signing): Hex {
  const wire = new Uint8Array(signDigest(digestOf(signing), key))
  wire[64]! += V_OFFSET
  return bytesToHex(wire)
}

/** Who made a signature; undefined for bytes that are the signature of nobody. */
function signerOf(signature: Hex, signing: Signing): Address | undefined {
  const wire = hexToBytes(signature, 'signature')
  if (wire.length !== SIGNATURE_BYTES) return undefined
  wire[64]! -= V_OFFSET
  try {
    return recoverAddress(digestOf(signing), wire)
  } catch (error) {
    if (isCodedError(error) && error.code.startsWith('SIGNATURE_')) return undefined
    throw error
  }
}

function applicationSigning(application: NodeApplication, { applicant, chainId }: { applicant: string; chainId: number }): Signing {
  const value = { ...applicationStruct(application), applicant: addressOption(applicant, 'applicant') }
  return { contract: NODE_REGISTER, chainId, name: 'NodeApplication', fields: APPLICATION_FIELDS, value }
}

/**
 * Proof that the applicant holds the node's key.
 * @param applicant the account that sends the application: nobody else can take it for its own
 */
export function signNodeApplication(
  application: NodeApplication,
  { nodeKey, ...bound }: { nodeKey: Uint8Array; applicant: string; chainId: number },
): Hex {
  return signTyped(nodeKey, applicationSigning(application, bound))
}

/** Who signed a node's application; undefined for what is no signature. @throws SonghuaError `OPTION_INVALID` */
export function nodeApplicationSigner(application: NodeApplication, bound: { applicant: string; chainId: number }, signature: Hex): Address | undefined {
  return signerOf(signature, applicationSigning(application, bound))
}

/** `NodeRegister.applicationHashOf` of this application: what its bodies confirm. @throws SonghuaError `OPTION_INVALID` */
export function nodeApplicationHash(application: NodeApplication, applicant: string): Hash {
  const { name, fields, value } = applicationSigning(application, { applicant, chainId: 0 })
  return TypedDataEncoder.hashStruct(name, { [name]: fields }, value) as Hash
}

/** An organisation that applies: what it would be, and the documents that go with it. */
export interface OrganisationApplication {
  readonly entry: OrganisationEntry
  readonly documentsHash: Hash
}

function organisationSigning({ entry, documentsHash }: OrganisationApplication, chainId: number): Signing {
  const [organisation, kind, roles, nameZh, nameEn, contactHash, administrator, gasPerDay, bytesPerDay] = entryToAbi(entry)
  const value = { organisation, kind, roles, nameZh, nameEn, contactHash, administrator, gasPerDay, bytesPerDay, documentsHash }
  return { contract: ORGANISATION_REGISTER, chainId, name: 'OrganisationApplication', fields: ORGANISATION_FIELDS, value }
}

/**
 * Proof that the administrator named in an application holds its key. For those who vote: no contract asks for it.
 * @param administratorKey 32 bytes
 */
export function signOrganisationApplication(application: OrganisationApplication, administratorKey: Uint8Array, chainId: number): Hex {
  return signTyped(administratorKey, organisationSigning(application, chainId))
}

/** Who signed an organisation's application; undefined for what is no signature. @throws SonghuaError `OPTION_INVALID` */
export function organisationApplicationSigner(application: OrganisationApplication, chainId: number, signature: Hex): Address | undefined {
  return signerOf(signature, organisationSigning(application, chainId))
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

const bindingSigning = ({ uscc, account, nonce }: BindingConsent, chainId: number): Signing => ({
  contract: ORGANISATION_REGISTER, chainId, name: 'Binding', fields: BINDING_FIELDS,
  value: { organisation: usccToHex(uscc), account, nonce },
})

export function signBinding(consent: BindingConsent, accountKey: Uint8Array, chainId: number): Hex {
  return signTyped(accountKey, bindingSigning(consent, chainId))
}

/** Who signed a consent; undefined for what is no signature. */
export function bindingSigner(consent: BindingConsent, chainId: number, signature: Hex): Address | undefined {
  return signerOf(signature, bindingSigning(consent, chainId))
}
