import fc from 'fast-check'
import { RECORD_ANCHOR_ADDRESS, genesisContracts } from '@songhua/contracts/addresses'
import { recordAnchor } from '@songhua/contracts/generated/RecordAnchor'
import { type Address, type Hex, encodeAbiParameters, getAddress, keccak256, numberToHex, pad } from 'viem'
import { describe, expect, it } from 'vitest'
import { anyGovernance } from '../support/governance.js'
import { callsOf, createContractChain, revertOf } from './chain.js'

const { abi } = recordAnchor
const callOf = callsOf(abi, RECORD_ANCHOR_ADDRESS)
const hash = (number: number): Hex => pad(numberToHex(number), { size: 32 })
const SENDERS: Address[] = [0xa1, 0xb0, 0xc5].map((byte) => getAddress(pad(numberToHex(byte), { size: 20 })))
const BATCHES = [0, 1, 2, 3].map(hash)
const ROOTS = [0, 1, 2].map(hash)
const ZERO = hash(0)

interface Terms { root: Hex; size: bigint; family: number }
interface Attempt extends Terms { sender: Address; batchId: Hex }
/** What the contract must hold: the terms of each batch, by sender and id. */
type Model = Map<string, Terms>

const keyOf = ({ sender, batchId }: { sender: Address; batchId: Hex }): string => `${sender} ${batchId}`
const commitmentOf = ({ root, size, family }: Terms, sender: Address): Hex =>
  keccak256(encodeAbiParameters(
    [{ type: 'bytes32' }, { type: 'uint64' }, { type: 'uint8' }, { type: 'address' }], [root, size, family, sender],
  ))

/** The refusal that the documentation promises, first rule first; undefined when the batch must be taken. */
function refusalOf(model: Model, { sender, batchId, root, size, family }: Attempt): string | undefined {
  if (root === ZERO) return `RecordAnchorZeroRoot(${batchId})`
  if (size === 0n) return `RecordAnchorEmptyBatch(${batchId})`
  if (family < 1 || family > 3) return `RecordAnchorUnknownFamily(${family})`
  return model.has(keyOf({ sender, batchId })) ? `RecordAnchorBatchExists(${sender}, ${batchId})` : undefined
}

const attempts = fc.array(
  fc.record({
    sender: fc.constantFrom(...SENDERS),
    batchId: fc.constantFrom(...BATCHES),
    root: fc.constantFrom(...ROOTS),
    size: fc.constantFrom(0n, 1n, 1000n, 2n ** 64n - 1n),
    family: fc.constantFrom(0, 1, 2, 3, 4, 255),
  }),
  { minLength: 1, maxLength: 30 },
)

type Chain = Awaited<ReturnType<typeof createContractChain>>

async function readsAgree(chain: Chain, model: Model): Promise<void> {
  for (const sender of SENDERS) {
    for (const batchId of BATCHES) {
      const terms = model.get(keyOf({ sender, batchId }))
      const stored = (await chain.call(callOf(SENDERS[0]!, 'anchorOf', [sender, batchId]))).data
      expect(stored).toBe(terms ? commitmentOf(terms, sender) : ZERO)
      for (const root of ROOTS.slice(1)) {
        const asked = { root, size: terms?.size ?? 1n, family: terms?.family ?? 1 }
        const answer = await chain.call(callOf(sender, 'isAnchored', [sender, batchId, root, asked.size, asked.family]))
        expect(BigInt(answer.data) === 1n).toBe(terms?.root === root)
      }
    }
  }
}

describe('RecordAnchor under any sequence of calls', () => {
  it('keeps every batch to its sender, changes nothing once written, and reads what a model holds', async () => {
    await fc.assert(fc.asyncProperty(attempts, async (sequence) => {
      const chain = await createContractChain(genesisContracts({ governance: anyGovernance() }))
      const model: Model = new Map()
      for (const attempt of sequence) {
        const { sender, batchId, root, size, family } = attempt
        const refusal = refusalOf(model, attempt)
        const result = await chain.call(callOf(sender, 'anchor', [batchId, root, size, family]))
        if (refusal === undefined) {
          expect(result).toMatchObject({ ok: true, logs: [{ topics: { length: 4 } }] })
          model.set(keyOf(attempt), { root, size, family })
        } else {
          expect(revertOf(abi, result)).toBe(refusal)
          expect(result.logs).toEqual([])
        }
      }
      await readsAgree(chain, model)
    }), { numRuns: 40 })
  })
})
