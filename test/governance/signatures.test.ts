import {
  type NodeApplication, bindingSigner, nodeApplicationSigner, organisationApplicationSigner, signBinding, signNodeApplication,
  signOrganisationApplication,
} from '@songhua/sdk/governance/signatures'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { privateKeyToAddress, privateKeyToPublicKey } from '@songhua/sdk/protocol/crypto'
import { describe, expect, it } from 'vitest'
import { MOTION_SAMPLES } from './motion-samples.js'

const key = new Uint8Array(32).fill(7)
const signer = privateKeyToAddress(key)
const other = '0x2222222222222222222222222222222222222222'
const chainId = 230099
const application: NodeApplication = { publicKey: bytesToHex(privateKeyToPublicKey(key)), kind: 'service', city: '230100', operator: '91230100MA00000231' }
const documentsHash = `0x${'cd'.repeat(32)}` as const

describe('whoever signed', () => {
  it('a node’s application is found, for that applicant and chain alone', () => {
    const signature = signNodeApplication(application, { nodeKey: key, applicant: other, chainId })
    expect(nodeApplicationSigner(application, { applicant: other, chainId }, signature)).toBe(signer)
    expect(nodeApplicationSigner(application, { applicant: signer, chainId }, signature)).not.toBe(signer)
    expect(nodeApplicationSigner(application, { applicant: other, chainId: 1 }, signature)).not.toBe(signer)
    expect(nodeApplicationSigner({ ...application, city: '230200' }, { applicant: other, chainId }, signature)).not.toBe(signer)
  })

  it('an organisation’s application is found, as long as no field is another', () => {
    const entry = MOTION_SAMPLES.admitOrganisation
    const signature = signOrganisationApplication({ entry, documentsHash }, key, chainId)
    expect(organisationApplicationSigner({ entry, documentsHash }, chainId, signature)).toBe(signer)
    const changes = [{ gasPerDay: 1n }, { nameZh: '别的' }, { administrator: other.replace('2', '3') }, { roles: ['deploy'] as const }]
    for (const change of changes) {
      expect(organisationApplicationSigner({ entry: { ...entry, ...change }, documentsHash }, chainId, signature)).not.toBe(signer)
    }
  })

  it('a consent is found, for that nonce alone', () => {
    const consent = { uscc: '91230100MA00000231', account: signer, nonce: 3n }
    const signature = signBinding(consent, key, chainId)
    expect(bindingSigner(consent, chainId, signature)).toBe(signer)
    expect(bindingSigner({ ...consent, nonce: 4n }, chainId, signature)).not.toBe(signer)
  })

  it('nothing is nobody: bytes that are no signature', () => {
    const consent = { uscc: '91230100MA00000231', account: signer, nonce: 3n }
    for (const bytes of ['0x', `0x${'00'.repeat(65)}`, `0x${'ff'.repeat(65)}`] as const) expect(bindingSigner(consent, chainId, bytes)).toBeUndefined()
  })
})
