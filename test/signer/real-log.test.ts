import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decodeBlock } from '@songhua/sdk/protocol/block'
import { type Recovery, recoverSafety } from '@songhua/node/signer/recovery'
import { createValidatorSigner } from '@songhua/node/signer/signer'
import { openConsensusLog } from '@songhua/node/storage/consensus-log'
import { Cast } from '../consensus/fixture.js'
import { createTempFolders } from '../storage/temp-folder.js'

const cast = new Cast(4)
const block = cast.block(0)
const certificate = cast.certificate(0, block, [0, 1, 2])
const newFolder = createTempFolders()
const newPath = async (): Promise<string> => join(await newFolder(), 'consensus.log')

/** A life of the signer over the log's own file; it ends without a farewell to the signer. */
async function live(
  path: string,
  { create = false, headNumber = 1 }: { create?: boolean; headNumber?: number },
  act: (signer: ReturnType<typeof createValidatorSigner>, recovery: Recovery) => Promise<void>,
): Promise<void> {
  const log = await openConsensusLog(path, { create })
  const recovery = recoverSafety({ log, headNumber, decodeBlock: (bytes) => decodeBlock(bytes) })
  const signer = createValidatorSigner({ privateKey: cast.keyOf(3), recovery }, log)
  await signer.startHeight(headNumber + 1, { isSilent: recovery.silence !== undefined })
  await act(signer, recovery)
  await log.close()
}

describe('the signer over the consensus log on a real disk', () => {
  it('goes on where it was, and says the same again', async () => {
    const path = await newPath()
    const prepare = { kind: 'prepare', height: 2, round: 0, digest: block.digest } as const
    let said: Uint8Array | undefined
    await live(path, { create: true, headNumber: 0 }, (_signer, { silence }) => {
      expect(silence).toBeUndefined()
      return Promise.resolve()
    })
    await live(path, {}, async (signer) => {
      await signer.persist({ height: 2, round: 0, step: 'prepare', block, certificate: undefined })
      said = signer.sign(prepare, cast.domain).bytes
      await signer.persist({ height: 2, round: 0, step: 'commit', block, certificate })
    })
    await live(path, {}, (signer, { silence, record }) => {
      expect(silence).toBeUndefined()
      expect(record).toEqual({ height: 2, round: 0, step: 'commit', block, certificate })
      expect(signer.sign(prepare, cast.domain).bytes).toEqual(said)
      return Promise.resolve()
    })
  })

  it('keeps silent when the file is gone, and still after it has been made anew', async () => {
    const path = await newPath()
    const expectSilence = (_signer: unknown, { silence }: Recovery): Promise<void> => {
      expect(silence).toBeDefined()
      return Promise.resolve()
    }
    await live(path, { headNumber: 0 }, expectSilence)
    await live(path, { headNumber: 0 }, expectSilence)
    await live(path, { headNumber: 1 }, expectSilence)
  })

  it('takes a copy from before for an old one', async () => {
    const path = await newPath()
    await live(path, { create: true, headNumber: 0 }, () => Promise.resolve())
    await live(path, { headNumber: 5 }, (_signer, { silence }) => {
      expect(silence).toMatch(/old copy/)
      return Promise.resolve()
    })
  })
})
