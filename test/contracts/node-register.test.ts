import { type Address, type Hex, bytesToHex, hashStruct, pad, stringToHex } from 'viem'
import { describe, expect, it } from 'vitest'
import {
  ADMIN, type Application, COUNCIL, type Governance, DAY_S, NODE, START, STRANGER, ZERO_BYTES18, ZERO_WORD, addressOf, admit, application, apply, confirm,
  event, eventsOf, expectOk, hash, nodeWith, nodesSorted, possession, publicKeyOf, refusal, rotationProof, startGovernance, uscc,
} from './governance.js'

/** Keys that no node of genesis has. */
const [KEY, OTHER] = [9_001, 9_002]
const OPERATOR = addressOf(ADMIN(2))
const node = addressOf(KEY)
const AC = stringToHex('hrb1')
const nodeOf = (governance: Governance, at: Address = node) => governance.read<Record<string, unknown>>('nodes', 'nodeOf', [at])
const statusOf = async (governance: Governance, at: Address = node) => (await nodeOf(governance, at)).status

describe('NodeRegister at genesis', () => {
  it('answers with the nodes, their keys, their bodies and the validators', async () => {
    const { read } = await startGovernance({ validators: 4, others: 1 })
    expect(await read('nodes', 'getValidators')).toEqual(nodesSorted(4))
    expect(await read('nodes', 'getNodes')).toEqual([0, 1, 2, 3, 4].map((index) => publicKeyOf(NODE(index))))
    expect(await read('nodes', 'nodes', [0n, 100n])).toEqual([0, 1, 2, 3, 4].map((index) => addressOf(NODE(index))))
    expect([await read('nodes', 'nodeCount'), await read('nodes', 'connectableCount')]).toEqual([5n, 5n])
    const key = publicKeyOf(NODE(0))
    expect(await read('nodes', 'nodeOf', [addressOf(NODE(0))])).toEqual({
      keyX: `0x${key.slice(4)}`, keyPrefix: Number(key.slice(0, 4)), kind: 1, status: 3, suspendedFrom: 0, city: stringToHex('230100'),
      industry: '0x00', acCode: '0x00000000', since: 0n, confirmations: 7, government: uscc(0), telecom: uscc(1), operator: uscc(2),
      endpointsHash: ZERO_WORD, documentsHash: ZERO_WORD, applicant: pad('0x', { size: 20 }), rotatedAt: 0n, suspendedBy: ZERO_BYTES18,
    })
    expect(await read('nodes', 'nodeOf', [addressOf(NODE(4))])).toMatchObject({ kind: 3, government: ZERO_BYTES18, operator: uscc(3), confirmations: 4 })
    expect(await read('nodes', 'publicKeyOf', [addressOf(NODE(4))])).toBe(publicKeyOf(NODE(4)))
    expect(await read('nodes', 'publicKeyOf', [STRANGER])).toBe('0x')
    expect(await read('nodes', 'isValidator', [addressOf(NODE(0))])).toBe(true)
    expect(await read('nodes', 'isValidator', [addressOf(NODE(4))])).toBe(false)
  })
})

describe('applying for a node', () => {
  it('stores the application, with an event that has its hash', async () => {
    const governance = await startGovernance()
    const result = await apply(governance, KEY)
    const wanted = application(KEY)
    const types = { NodeApplication: [
      { name: 'publicKey', type: 'bytes' }, { name: 'kind', type: 'uint8' }, { name: 'city', type: 'bytes6' }, { name: 'industry', type: 'bytes1' },
      { name: 'government', type: 'bytes18' }, { name: 'telecom', type: 'bytes18' }, { name: 'operator', type: 'bytes18' },
      { name: 'endpointsHash', type: 'bytes32' }, { name: 'documentsHash', type: 'bytes32' }, { name: 'applicant', type: 'address' },
    ] } as const
    const applicationHash = hashStruct({ primaryType: 'NodeApplication', types, data: { ...wanted, applicant: OPERATOR } })
    expect(eventsOf(result)).toEqual([event('NodeApplied', { node, applicant: OPERATOR, applicationHash, application: wanted })])
    expect(await governance.read('nodes', 'applicationHashOf', [node])).toBe(applicationHash)
    expect(await governance.read('nodes', 'applicationHashOf', [STRANGER])).toBe(ZERO_WORD)
    const { publicKey, ...rest } = wanted
    expect(await nodeOf(governance)).toEqual({
      ...rest, keyX: `0x${publicKey.slice(4)}`, keyPrefix: Number(publicKey.slice(0, 4)), status: 1, suspendedFrom: 0, acCode: '0x00000000',
      since: START.timestamp, confirmations: 0, applicant: OPERATOR, rotatedAt: 0n, suspendedBy: ZERO_BYTES18,
    })
    expect(await governance.read('nodes', 'nodes', [5n, 5n])).toEqual([node])
    expect(await governance.read('nodes', 'connectableCount')).toBe(5n)
  })

  it('gives keys of both parities the address that Ethereum gives them', async () => {
    const governance = await startGovernance()
    const keys = Array.from({ length: 12 }, (_, index) => KEY + index)
    expect(new Set(keys.map((key) => publicKeyOf(key).slice(0, 4)))).toEqual(new Set(['0x02', '0x03']))
    for (const key of keys) expectOk(await apply(governance, key))
    expect(await governance.read('nodes', 'nodes', [5n, 50n])).toEqual(keys.map(addressOf))
  })

  const bad: [string, Partial<Application>, string][] = [
    ['no key', { publicKey: '0x' }, 'NodeRegisterInvalidKey(0x)'],
    ['a key of 34 bytes', { publicKey: `${publicKeyOf(KEY)}00` }, 'NodeRegisterInvalidKey'],
    ['an uncompressed prefix', { publicKey: `0x04${publicKeyOf(KEY).slice(4)}` }, 'NodeRegisterInvalidKey'],
    ['an x above the field', { publicKey: `0x02${'ff'.repeat(32)}` }, 'NodeRegisterInvalidKey'],
    ['an x that is not on the curve', { publicKey: `0x02${pad('0x05').slice(2)}` }, 'NodeRegisterInvalidKey'],
    ['kind 0', { kind: 0 }, 'NodeRegisterInvalidKind(0)'],
    ['kind 4', { kind: 4 }, 'NodeRegisterInvalidKind(4)'],
    ['a city with a letter', { city: stringToHex('23010a') }, 'NodeRegisterInvalidCity'],
    ['no city', { city: bytesToHex(new Uint8Array(6)) }, 'NodeRegisterInvalidCity'],
    ['industry U', { industry: stringToHex('U') }, 'NodeRegisterInvalidIndustry(0x55)'],
    ['industry a', { industry: stringToHex('a') }, 'NodeRegisterInvalidIndustry(0x61)'],
    ['no government body', { government: ZERO_BYTES18 }, `NodeRegisterInvalidBody(1, ${ZERO_BYTES18})`],
    ['a bank for a government body', { government: uscc(3) }, `NodeRegisterInvalidBody(1, ${uscc(3)})`],
    ['no telecom operator', { telecom: ZERO_BYTES18 }, `NodeRegisterInvalidBody(2, ${ZERO_BYTES18})`],
    ['a government body for a telecom operator', { telecom: uscc(0) }, `NodeRegisterInvalidBody(2, ${uscc(0)})`],
    ['no operator', { operator: ZERO_BYTES18 }, `NodeRegisterInvalidBody(4, ${ZERO_BYTES18})`],
    ['an unknown operator', { operator: uscc(77) }, `NodeRegisterInvalidBody(4, ${uscc(77)})`],
    ['a service node without operator', { kind: 3, operator: ZERO_BYTES18 }, `NodeRegisterInvalidBody(4, ${ZERO_BYTES18})`],
    ['a service node with a bank for a telecom operator', { kind: 3, telecom: uscc(3) }, `NodeRegisterInvalidBody(2, ${uscc(3)})`],
  ]
  it.each(bad)('refuses %s', async (_what, changes, reason) => {
    const governance = await startGovernance()
    const before = governance.storage()
    expect(refusal(await apply(governance, KEY, changes))).toContain(reason)
    expect(governance.storage()).toEqual(before)
  })

  it('takes a service node of any operator, alone or with the others', async () => {
    const governance = await startGovernance()
    expectOk(await apply(governance, KEY, { kind: 3, operator: uscc(3), government: ZERO_BYTES18, telecom: ZERO_BYTES18, industry: '0x00' }))
    expectOk(await apply(governance, OTHER, { kind: 3, operator: uscc(3) }))
  })

  it('refuses every proof of possession but the key\'s own for this applicant and application', async () => {
    const governance = await startGovernance()
    const wanted = application(KEY)
    const proofs = [
      await possession(OTHER, wanted, OPERATOR), await possession(KEY, wanted, STRANGER),
      await possession(KEY, { ...wanted, documentsHash: hash(9) }, OPERATOR), '0x' as Hex,
    ]
    for (const proof of proofs) {
      expect(refusal(await governance.send('nodes', OPERATOR, 'applyNode', [wanted, proof]))).toBe(`NodeRegisterInvalidSignature(${node})`)
    }
  })

  it('may be repeated by the applicant alone; confirmations start anew', async () => {
    const governance = await startGovernance()
    await apply(governance, KEY)
    await confirm(governance, node)
    expect((await nodeOf(governance)).confirmations).toBe(7)
    expect(refusal(await apply(governance, KEY, {}, STRANGER))).toBe(`NodeRegisterNotApplicant(${node}, ${STRANGER})`)
    expectOk(await apply(governance, KEY, { documentsHash: hash(9) }))
    expect(await nodeOf(governance)).toMatchObject({ confirmations: 0, documentsHash: hash(9) })
    expect(await governance.read('nodes', 'nodeCount')).toBe(6n)
  })

  it('may be taken back by the applicant alone, and made again by another', async () => {
    const governance = await startGovernance()
    await apply(governance, KEY)
    expect(refusal(await governance.send('nodes', STRANGER, 'withdrawApplication', [node]))).toBe(`NodeRegisterNotApplicant(${node}, ${STRANGER})`)
    expect(eventsOf(await governance.send('nodes', OPERATOR, 'withdrawApplication', [node])))
      .toEqual([event('NodeApplicationWithdrawn', { node, applicant: OPERATOR })])
    expect(await statusOf(governance)).toBe(5)
    expect(refusal(await governance.send('nodes', OPERATOR, 'withdrawApplication', [node]))).toBe(`NodeRegisterWrongStatus(${node}, 5)`)
    expectOk(await apply(governance, KEY))
    expectOk(await governance.send('nodes', OPERATOR, 'withdrawApplication', [node]))
    expectOk(await apply(governance, KEY, {}, STRANGER))
    expect(await nodeOf(governance)).toMatchObject({ status: 1, applicant: STRANGER })
  })

  it.each(['admitted', 'active', 'suspended'] as const)('is refused while the node is %s', async (status) => {
    const governance = await startGovernance()
    await nodeWith(governance, KEY, status)
    expect(refusal(await apply(governance, KEY))).toContain(`NodeRegisterWrongStatus(${node}`)
  })
})

describe('confirming and admitting', () => {
  it('wants the three bodies\' own word, each once, and then the council\'s', async () => {
    const governance = await startGovernance()
    await apply(governance, KEY)
    const applicationHash = await governance.read('nodes', 'applicationHashOf', [node])
    const admitting = () => admit(governance, node)
    for (const [body, roles, present] of [[0, 1, 0], [1, 2, 1], [2, 4, 3]] as const) {
      expect(refusal(await admitting())).toBe(`NodeRegisterUnconfirmed(${node}, ${present}, 7)`)
      expect(eventsOf(await governance.admin(body, 'nodes', 'confirmBody', [node, applicationHash]))).toEqual([event('NodeConfirmed', { node, body: uscc(body), roles })])
    }
    for (const from of [addressOf(ADMIN(3)), STRANGER]) {
      expect(refusal(await governance.send('nodes', from, 'confirmBody', [node, applicationHash]))).toBe(`NodeRegisterNotBody(${node}, ${from})`)
    }
    expect(refusal(await governance.admin(0, 'nodes', 'admitNode', [node, applicationHash]))).toBe(`GovernedUnauthorized(${addressOf(ADMIN(0))})`)
    governance.clock.timestamp += 5n
    expect(eventsOf(await admitting())).toEqual([event('NodeAdmitted', { node })])
    expect(await nodeOf(governance)).toMatchObject({ status: 2, since: START.timestamp + 5n })
    expect(await governance.read('nodes', 'getNodes')).toContain(publicKeyOf(KEY))
    expect(refusal(await admitting())).toBe(`NodeRegisterWrongStatus(${node}, 2)`)
    expect(refusal(await governance.admin(0, 'nodes', 'confirmBody', [node, applicationHash]))).toBe(`NodeRegisterWrongStatus(${node}, 2)`)
  })

  it('does not confirm an application that changed on the way', async () => {
    const governance = await startGovernance()
    await apply(governance, KEY)
    const seen = await governance.read('nodes', 'applicationHashOf', [node])
    await apply(governance, KEY, { kind: 1 })
    const present = await governance.read<string>('nodes', 'applicationHashOf', [node])
    expect(refusal(await governance.admin(0, 'nodes', 'confirmBody', [node, seen]))).toBe(`NodeRegisterApplicationChanged(${node}, ${present})`)
  })

  it('does not admit another application than the one that was voted on', async () => {
    const governance = await startGovernance()
    await apply(governance, KEY)
    const voted = await governance.read('nodes', 'applicationHashOf', [node])
    await apply(governance, KEY, { kind: 1 })
    await confirm(governance, node)
    const present = await governance.read<string>('nodes', 'applicationHashOf', [node])
    expect(refusal(await governance.govern('nodes', 'admitNode', [node, voted]))).toBe(`NodeRegisterApplicationChanged(${node}, ${present})`)
    expectOk(await admit(governance, node))
  })

  it('lets one organisation answer in both its places of a service node', async () => {
    const governance = await startGovernance()
    await apply(governance, KEY, { kind: 3, government: ZERO_BYTES18, telecom: uscc(1), operator: uscc(1) })
    const applicationHash = await governance.read('nodes', 'applicationHashOf', [node])
    expect(eventsOf(await governance.admin(1, 'nodes', 'confirmBody', [node, applicationHash]))).toEqual([event('NodeConfirmed', { node, body: uscc(1), roles: 6 })])
    expectOk(await admit(governance, node))
  })

  it('does not admit for a body that is suspended meanwhile', async () => {
    const governance = await startGovernance({ seats: 5 })
    await governance.govern('organisations', 'admitOrganisation', [{
      uscc: uscc(50), kind: 3, roles: 1, nameZh: '运营', nameEn: 'Operator', contactHash: ZERO_WORD, administrator: addressOf(ADMIN(50)), gasPerDay: 1n, bytesPerDay: 1n,
    }])
    await apply(governance, KEY, { operator: uscc(50) })
    await confirm(governance, node, [0, 1, 50])
    await governance.govern('organisations', 'suspendOrganisation', [uscc(50)])
    expect(refusal(await admit(governance, node))).toBe(`NodeRegisterInvalidBody(4, ${uscc(50)})`)
    await governance.govern('organisations', 'reinstateOrganisation', [uscc(50)])
    expectOk(await admit(governance, node))
  })
})

describe('a node\'s life', () => {
  it('is active when its operator says so', async () => {
    const governance = await startGovernance()
    await nodeWith(governance, KEY, 'admitted')
    expect(refusal(await governance.admin(0, 'nodes', 'activateNode', [node]))).toBe(`NodeRegisterNotBody(${node}, ${addressOf(ADMIN(0))})`)
    expect(eventsOf(await governance.admin(2, 'nodes', 'activateNode', [node]))).toEqual([event('NodeActivated', { node })])
    expect(await statusOf(governance)).toBe(3)
    expect(refusal(await governance.admin(2, 'nodes', 'activateNode', [node]))).toBe(`NodeRegisterWrongStatus(${node}, 3)`)
  })

  it.each(['admitted', 'active'] as const)('comes back from a suspension by the council as %s', async (status) => {
    const governance = await startGovernance()
    await nodeWith(governance, KEY, status)
    const before = await statusOf(governance)
    expect(eventsOf(await governance.govern('nodes', 'suspendNode', [node, hash(3)]))).toEqual([event('NodeSuspended', { node, body: ZERO_BYTES18, reasonHash: hash(3) })])
    expect(await nodeOf(governance)).toMatchObject({ status: 4, suspendedFrom: before, suspendedBy: ZERO_BYTES18 })
    expect(await governance.read('nodes', 'getNodes')).not.toContain(publicKeyOf(KEY))
    expect(refusal(await governance.govern('nodes', 'suspendNode', [node, hash(3)]))).toBe(`NodeRegisterWrongStatus(${node}, 4)`)
    // What the council suspended, the government body cannot reinstate.
    expect(refusal(await governance.admin(0, 'nodes', 'reinstateNode', [node]))).toBe(`NodeRegisterNotBody(${node}, ${addressOf(ADMIN(0))})`)
    expect(eventsOf(await governance.govern('nodes', 'reinstateNode', [node]))).toEqual([event('NodeReinstated', { node, body: ZERO_BYTES18, status: before })])
    expect(await nodeOf(governance)).toMatchObject({ status: before, suspendedFrom: 0 })
    expect(await governance.read('nodes', 'getNodes')).toContain(publicKeyOf(KEY))
    expect(refusal(await governance.govern('nodes', 'reinstateNode', [node]))).toContain('NodeRegisterWrongStatus')
  })

  it('may be suspended and reinstated by its government body, which the council can overrule', async () => {
    const governance = await startGovernance()
    await nodeWith(governance, KEY, 'active')
    for (const body of [1, 2, 3]) {
      expect(refusal(await governance.admin(body, 'nodes', 'suspendNode', [node, hash(3)]))).toBe(`NodeRegisterNotBody(${node}, ${addressOf(ADMIN(body))})`)
    }
    expect(eventsOf(await governance.admin(0, 'nodes', 'suspendNode', [node, hash(3)]))).toEqual([event('NodeSuspended', { node, body: uscc(0), reasonHash: hash(3) })])
    expect(await nodeOf(governance)).toMatchObject({ status: 4, suspendedBy: uscc(0) })
    expect(eventsOf(await governance.admin(0, 'nodes', 'reinstateNode', [node]))).toEqual([event('NodeReinstated', { node, body: uscc(0), status: 3 })])
    expect(await nodeOf(governance)).toMatchObject({ status: 3, suspendedBy: ZERO_BYTES18 })
    await governance.admin(0, 'nodes', 'suspendNode', [node, hash(3)])
    expectOk(await governance.govern('nodes', 'reinstateNode', [node]))
  })

  it('is no business of a body that the node does not name', async () => {
    const governance = await startGovernance()
    await nodeWith(governance, KEY, 'active', { kind: 3, government: ZERO_BYTES18, telecom: ZERO_BYTES18 })
    expect(refusal(await governance.send('nodes', STRANGER, 'suspendNode', [node, hash(3)]))).toBe(`NodeRegisterNotBody(${node}, ${STRANGER})`)
    expect(refusal(await governance.send('nodes', STRANGER, 'retireNode', [node]))).toBe(`NodeRegisterNotBody(${node}, ${STRANGER})`)
  })

  it.each(['applied', 'admitted', 'active', 'suspended'] as const)('ends from %s by the council or its operator, and may begin again', async (status) => {
    for (const from of [COUNCIL, OPERATOR]) {
      const governance = await startGovernance()
      await nodeWith(governance, KEY, status)
      expect(refusal(await governance.admin(1, 'nodes', 'retireNode', [node]))).toBe(`NodeRegisterNotBody(${node}, ${addressOf(ADMIN(1))})`)
      expect(eventsOf(await governance.send('nodes', from, 'retireNode', [node]))).toEqual([event('NodeRetired', { node })])
      expect(await nodeOf(governance)).toMatchObject({ status: 5, suspendedFrom: 0 })
      expect(await governance.read('nodes', 'connectableCount')).toBe(5n)
      expect(refusal(await governance.govern('nodes', 'retireNode', [node]))).toBe(`NodeRegisterWrongStatus(${node}, 5)`)
      expect(refusal(await governance.govern('nodes', 'suspendNode', [node, hash(3)]))).toBe(`NodeRegisterWrongStatus(${node}, 5)`)
      // The signature of a life that is over begins no other.
      const applicationHash = await governance.read<string>('nodes', 'applicationHashOf', [node])
      if (status !== 'applied') expect(refusal(await apply(governance, KEY))).toBe(`NodeRegisterApplicationSpent(${node}, ${applicationHash})`)
      expectOk(await apply(governance, KEY, { documentsHash: hash(9) }))
    }
  })

  it('begins no other life with the signature of an application whose bodies the council has changed', async () => {
    const governance = await startGovernance()
    await nodeWith(governance, KEY, 'applied', { kind: 3 })
    const signed = await governance.read<string>('nodes', 'applicationHashOf', [node])
    expectOk(await governance.govern('nodes', 'setNodeBodies', [node, uscc(0), uscc(1), uscc(3)]))
    await confirm(governance, node, [0, 1, 3])
    expectOk(await admit(governance, node))
    expectOk(await governance.govern('nodes', 'retireNode', [node]))
    expect(refusal(await apply(governance, KEY, { kind: 3 }))).toBe(`NodeRegisterApplicationSpent(${node}, ${signed})`)
    expectOk(await apply(governance, KEY, { kind: 3, documentsHash: hash(9) }))
  })

  it('begins no other life with the signature of any earlier application, admitted or not', async () => {
    const governance = await startGovernance()
    const applyWith = (documents: number) => apply(governance, KEY, { documentsHash: hash(documents) })
    const hashes: string[] = []
    for (const documents of [1, 2]) {
      expectOk(await applyWith(documents))
      hashes.push(await governance.read<string>('nodes', 'applicationHashOf', [node]))
    }
    expectOk(await governance.send('nodes', OPERATOR, 'withdrawApplication', [node]))
    expectOk(await applyWith(2))
    await confirm(governance, node)
    expectOk(await admit(governance, node))
    expectOk(await governance.govern('nodes', 'retireNode', [node]))
    for (const documents of [1, 2]) {
      expect(refusal(await applyWith(documents))).toBe(`NodeRegisterApplicationSpent(${node}, ${hashes[documents - 1]})`)
    }
    expectOk(await applyWith(3))
  })

  it('finds room among 1,024 that may connect, and no more', async () => {
    const governance = await startGovernance({ validators: 4, others: 1_019 })
    await nodeWith(governance, KEY, 'admitted')
    expect(await governance.read('nodes', 'connectableCount')).toBe(1_024n)
    await apply(governance, OTHER)
    await confirm(governance, addressOf(OTHER))
    expect(refusal(await admit(governance, addressOf(OTHER)))).toBe('NodeRegisterTooManyNodes(1024)')
    expectOk(await governance.govern('nodes', 'suspendNode', [node, hash(3)]))
    expectOk(await admit(governance, addressOf(OTHER)))
    expect(refusal(await governance.govern('nodes', 'reinstateNode', [node]))).toBe('NodeRegisterTooManyNodes(1024)')
  }, 180_000)
})

describe('AC codes', () => {
  it('are issued, found and withdrawn by the council', async () => {
    const governance = await startGovernance()
    await nodeWith(governance, KEY, 'admitted')
    expect(eventsOf(await governance.govern('nodes', 'issueAcCode', [node, AC]))).toEqual([event('AcCodeIssued', { node, acCode: AC })])
    expect(await governance.read('nodes', 'nodeByAcCode', [AC])).toBe(node)
    expect(await nodeOf(governance)).toMatchObject({ acCode: AC })
    expect(refusal(await governance.govern('nodes', 'issueAcCode', [node, stringToHex('hrb2')]))).toBe(`NodeRegisterHasAcCode(${node}, ${AC})`)
    expect(refusal(await governance.govern('nodes', 'issueAcCode', [addressOf(NODE(0)), AC]))).toBe(`NodeRegisterAcCodeTaken(${AC}, ${node})`)
    expect(eventsOf(await governance.govern('nodes', 'withdrawAcCode', [AC]))).toEqual([event('AcCodeWithdrawn', { node, acCode: AC })])
    expect(await nodeOf(governance)).toMatchObject({ acCode: '0x00000000' })
    expect(refusal(await governance.govern('nodes', 'withdrawAcCode', [AC]))).toBe(`NodeRegisterUnknownAcCode(${AC})`)
    expectOk(await governance.govern('nodes', 'issueAcCode', [addressOf(NODE(0)), AC]))
    for (const [name, args] of [['issueAcCode', [node, stringToHex('zzzz')]], ['withdrawAcCode', [AC]]] as const) {
      expect(refusal(await governance.admin(0, 'nodes', name, args))).toBe(`GovernedUnauthorized(${addressOf(ADMIN(0))})`)
    }
  })

  it.each(['HRB1', 'hr 1', 'hrb\0', 'hr-1'])('are not "%s"', async (code) => {
    const governance = await startGovernance()
    expect(refusal(await governance.govern('nodes', 'issueAcCode', [addressOf(NODE(0)), stringToHex(code)]))).toBe(`NodeRegisterInvalidAcCode(${stringToHex(code)})`)
  })

  it('are not for nodes that only applied, and are free when a node retires', async () => {
    const governance = await startGovernance()
    await nodeWith(governance, KEY, 'applied')
    expect(refusal(await governance.govern('nodes', 'issueAcCode', [node, AC]))).toBe(`NodeRegisterWrongStatus(${node}, 1)`)
    await nodeWith(governance, OTHER, 'active')
    await governance.govern('nodes', 'issueAcCode', [addressOf(OTHER), AC])
    expect(eventsOf(await governance.govern('nodes', 'retireNode', [addressOf(OTHER)]))[1]).toEqual(event('AcCodeWithdrawn', { node: addressOf(OTHER), acCode: AC }))
    expect(await governance.read('nodes', 'nodeByAcCode', [AC])).toBe(pad('0x', { size: 20 }))
  })
})

describe('bodies and endpoints', () => {
  it('of a node are changed by the council; who is new has not confirmed', async () => {
    const governance = await startGovernance()
    await apply(governance, KEY, { kind: 3 })
    await confirm(governance, node)
    const bodies = { government: uscc(0), telecom: uscc(1), operator: uscc(3) }
    expect(eventsOf(await governance.govern('nodes', 'setNodeBodies', [node, ...Object.values(bodies)]))).toEqual([event('NodeBodiesChanged', { node, ...bodies })])
    // Who has confirmed an application has confirmed it with its partners.
    expect(await nodeOf(governance)).toMatchObject({ ...bodies, confirmations: 0 })
    await confirm(governance, node, [0, 1, 3])
    expectOk(await admit(governance, node))
    expectOk(await governance.govern('nodes', 'setNodeBodies', [node, uscc(0), ZERO_BYTES18, uscc(2)]))
    expect(await nodeOf(governance)).toMatchObject({ confirmations: 1 })
    expect(refusal(await governance.govern('nodes', 'setNodeBodies', [addressOf(NODE(0)), uscc(0), uscc(1), uscc(3)]))).toBe(`NodeRegisterInvalidBody(4, ${uscc(3)})`)
    expect(refusal(await governance.govern('nodes', 'setNodeBodies', [STRANGER, uscc(0), uscc(1), uscc(2)]))).toBe(`NodeRegisterWrongStatus(${STRANGER}, 0)`)
    expect(refusal(await governance.admin(0, 'nodes', 'setNodeBodies', [node, uscc(0), uscc(1), uscc(2)]))).toContain('GovernedUnauthorized')
  })

  it('have their endpoints named by the telecom operator, or by the operator where there is none', async () => {
    const governance = await startGovernance({ others: 1 })
    const [backbone, service] = [addressOf(NODE(0)), addressOf(NODE(5))]
    expect(eventsOf(await governance.admin(1, 'nodes', 'setEndpointsHash', [backbone, hash(8)]))).toEqual([event('EndpointsHashChanged', { node: backbone, endpointsHash: hash(8) })])
    expect(await nodeOf(governance, backbone)).toMatchObject({ endpointsHash: hash(8) })
    expect(refusal(await governance.admin(2, 'nodes', 'setEndpointsHash', [backbone, hash(8)]))).toBe(`NodeRegisterNotBody(${backbone}, ${OPERATOR})`)
    expectOk(await governance.admin(3, 'nodes', 'setEndpointsHash', [service, hash(8)]))
    expect(refusal(await governance.admin(1, 'nodes', 'setEndpointsHash', [node, hash(8)]))).toBe(`NodeRegisterWrongStatus(${node}, 0)`)
  })
})

describe('rotating a key', () => {
  const rotate = async (governance: Governance, from: Address, newKey: number, proof?: Hex) =>
    governance.admin(2, 'nodes', 'rotateKey', [from, publicKeyOf(newKey), proof ?? await rotationProof(newKey, from)])

  it('moves everything to the new address and exchanges the validator from the next block on', async () => {
    const governance = await startGovernance()
    const old = addressOf(NODE(1))
    await governance.govern('nodes', 'issueAcCode', [old, AC])
    const { keyX: _x, keyPrefix: _prefix, ...rest } = await nodeOf(governance, old)
    expect(eventsOf(await rotate(governance, old, KEY))).toEqual([
      event('NodeKeyRotated', { previous: old, next: node, newPublicKey: publicKeyOf(KEY) }), event('ValidatorReplaced', { previous: old, next: node }),
    ])
    expect(await nodeOf(governance)).toMatchObject({ ...rest, rotatedAt: START.timestamp })
    expect(await governance.read('nodes', 'publicKeyOf', [node])).toBe(publicKeyOf(KEY))
    expect(await nodeOf(governance, old)).toMatchObject({ status: 5, acCode: '0x00000000' })
    expect(await governance.read('nodes', 'nodeByAcCode', [AC])).toBe(node)
    const keys = await governance.read<Hex[]>('nodes', 'getNodes')
    expect([keys.includes(publicKeyOf(KEY)), keys.includes(publicKeyOf(NODE(1))), keys.length]).toEqual([true, false, 5])
    const expected = [...nodesSorted(5).filter((one) => one !== old), node].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1))
    expect(await governance.read('nodes', 'getValidators')).toEqual(expected)
  })

  it('happens once a day for a validator, and as often as wanted for others', async () => {
    const governance = await startGovernance()
    expectOk(await rotate(governance, addressOf(NODE(1)), KEY))
    governance.pass(1n, DAY_S - 1n)
    expect(refusal(await rotate(governance, node, OTHER))).toBe(`NodeRegisterRotatedRecently(${node}, ${START.timestamp + DAY_S})`)
    governance.pass(1n, 1n)
    expectOk(await rotate(governance, node, OTHER))
    await nodeWith(governance, 9_003, 'active')
    expectOk(await rotate(governance, addressOf(9_003), 9_004))
    expectOk(await rotate(governance, addressOf(9_004), 9_005))
  })

  it('happens in a day for no more validators than a quorum may miss, whoever operates them', async () => {
    const governance = await startGovernance()
    expectOk(await rotate(governance, addressOf(NODE(1)), KEY))
    expect(refusal(await rotate(governance, addressOf(NODE(2)), OTHER))).toBe('NodeRegisterTooMuchChurn(1)')
    governance.pass(1n, DAY_S)
    expectOk(await rotate(governance, addressOf(NODE(2)), OTHER))
    // Who rotates does not use up what the council may suspend.
    expectOk(await governance.govern('nodes', 'suspendNode', [addressOf(NODE(3)), hash(3)]))
  })

  it('leaves a key behind that never comes back', async () => {
    const governance = await startGovernance()
    await nodeWith(governance, KEY, 'active')
    expect(BigInt(await governance.read<Hex>('nodes', 'successorOf', [node]))).toBe(0n)
    expectOk(await rotate(governance, node, OTHER))
    expect(await governance.read('nodes', 'successorOf', [node])).toBe(addressOf(OTHER))
    expect(refusal(await apply(governance, KEY, { documentsHash: hash(9) }))).toBe(`NodeRegisterKeyReplaced(${node}, ${addressOf(OTHER)})`)
  })

  it('refuses keys without proof, keys that nodes have or had, and everybody but the operator', async () => {
    const governance = await startGovernance()
    const old = addressOf(NODE(1))
    expect(refusal(await rotate(governance, old, KEY, await rotationProof(OTHER, old, publicKeyOf(KEY))))).toBe(`NodeRegisterInvalidSignature(${node})`)
    expect(refusal(await rotate(governance, old, KEY, await rotationProof(KEY, addressOf(NODE(2)))))).toBe(`NodeRegisterInvalidSignature(${node})`)
    expect(refusal(await rotate(governance, old, NODE(2)))).toBe(`NodeRegisterWrongStatus(${addressOf(NODE(2))}, 3)`)
    expect(refusal(await governance.admin(2, 'nodes', 'rotateKey', [old, '0x02', '0x']))).toBe('NodeRegisterInvalidKey(0x02)')
    expect(refusal(await governance.admin(0, 'nodes', 'rotateKey', [old, publicKeyOf(KEY), await rotationProof(KEY, old)]))).toBe(`NodeRegisterNotBody(${old}, ${addressOf(ADMIN(0))})`)
    expect(refusal(await rotate(governance, node, OTHER))).toBe(`NodeRegisterWrongStatus(${node}, 0)`)
    expectOk(await rotate(governance, old, KEY))
    governance.pass(1n, DAY_S)
    expect(refusal(await rotate(governance, node, NODE(1)))).toBe(`NodeRegisterWrongStatus(${old}, 5)`)
  })

  it('carries a suspension along', async () => {
    const governance = await startGovernance()
    await nodeWith(governance, KEY, 'active')
    await governance.admin(0, 'nodes', 'suspendNode', [node, hash(3)])
    expectOk(await rotate(governance, node, OTHER))
    expect(await nodeOf(governance, addressOf(OTHER))).toMatchObject({ status: 4, suspendedFrom: 3, suspendedBy: uscc(0) })
    expect(await nodeOf(governance)).toMatchObject({ status: 5, suspendedFrom: 0, suspendedBy: ZERO_BYTES18 })
    expect(await governance.read('nodes', 'connectableCount')).toBe(5n)
    expectOk(await governance.admin(0, 'nodes', 'reinstateNode', [addressOf(OTHER)]))
    expect(await governance.read('nodes', 'getNodes')).toContain(publicKeyOf(OTHER))
  })
})
