import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Intent } from '@songhua/node/consensus/messages'
import { type SignatureEntry, type SignatureJournal, journaledSigner, openSignatureJournal } from '@songhua/node/signer/signature-journal'
import { createValidatorSigner } from '@songhua/node/signer/signer'
import { Cast } from '../consensus/fixture.js'
import { MemoryLog } from './memory-log.js'

const cast = new Cast(4)
const block = cast.block(0)
const certificate = cast.certificate(0, block, [0, 1, 2])
const validator = cast.validators[3]!

let dir: string
let path: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'songhua-signatures-'))
  path = join(dir, 'signatures.ndjson')
})
afterEach(() => rm(dir, { recursive: true }))

const entry = (height: number): SignatureEntry => ({ validator, height, round: 0, kind: 'prepare', digest: block.digest })
const lines = async (): Promise<string[]> => (await readFile(path, 'utf8')).split('\n')

async function signerOver(journal: SignatureJournal) {
  const signer = createValidatorSigner({ privateKey: cast.keyOf(3), recovery: { silence: undefined, record: undefined } }, new MemoryLog())
  await signer.startHeight(2, { isSilent: false })
  return journaledSigner(signer, journal)
}

describe('the journal of signatures', () => {
  it('has what each signature speaks for, and the round of a seal', async () => {
    const journal = openSignatureJournal(path)
    const signer = await signerOver(journal)
    await signer.persist({ height: 2, round: 0, step: 'prepare', block, certificate: undefined })
    signer.sign({ kind: 'prepare', height: 2, round: 0, digest: block.digest }, cast.domain)
    await signer.persist({ height: 2, round: 0, step: 'commit', block, certificate })
    signer.sign({ kind: 'commit', height: 2, round: 0, digest: block.digest, header: block.block.header }, cast.domain)
    await signer.persist({ height: 2, round: 1, step: 'roundChange', block: undefined, certificate })
    signer.sign({ kind: 'roundChange', height: 2, round: 1, prepared: certificate }, cast.domain)
    journal.close()
    const { digest } = block
    expect((await lines()).slice(0, -1).map((line) => JSON.parse(line) as unknown)).toEqual([
      { validator, height: 2, round: 0, kind: 'prepare', digest },
      { validator, height: 2, round: 0, kind: 'commit', digest, sealRound: 0 },
      { validator, height: 2, round: 1, kind: 'roundChange', digest: `0:${digest}` },
    ])
  })

  it('has no line of what the signer refused', async () => {
    const journal = openSignatureJournal(path)
    const signer = await signerOver(journal)
    const intent: Intent = { kind: 'prepare', height: 2, round: 0, digest: block.digest }
    expect(() => signer.sign(intent, cast.domain)).toThrow(/not in the consensus log/)
    journal.close()
    expect(await lines()).toEqual([''])
  })

  it('gives no signature out that it could not write', async () => {
    const signer = await signerOver(openSignatureJournal('/dev/full'))
    await signer.persist({ height: 2, round: 0, step: 'prepare', block, certificate: undefined })
    const sign = (): unknown => signer.sign({ kind: 'prepare', height: 2, round: 0, digest: block.digest }, cast.domain)
    expect(sign).toThrow(expect.objectContaining({ code: 'SIGNER_JOURNAL' }))
  })

  it('begins anew after a line that was cut', async () => {
    const first = openSignatureJournal(path)
    first.append(entry(1))
    first.close()
    await appendFile(path, '{"validator":"0x')
    const second = openSignatureJournal(path)
    second.append(entry(2))
    second.append(entry(3))
    second.close()
    expect(await lines()).toEqual([JSON.stringify(entry(1)), '{"validator":"0x', JSON.stringify(entry(2)), JSON.stringify(entry(3)), ''])
  })

  it('names the file that it cannot open', () => {
    expect(() => openSignatureJournal(dir)).toThrow(expect.objectContaining({ code: 'SIGNER_JOURNAL', details: { path: dir } }))
  })
})
