import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ORGANISATION_REGISTER_ADDRESS, POLICY_REGISTER_ADDRESS } from '@songhua/contracts/addresses'
import { POLICY_SLOT } from '@songhua/contracts/membership/slots'
import { chainHandlers } from '@songhua/node/app/gateway-chain'
import { type Gateway, startGateway } from '@songhua/node/app/gateway-process'
import { dataPaths, resolveOptions } from '@songhua/node/app/options'
import { type Reads, openReads } from '@songhua/node/app/reads'
import { systemClock } from '@songhua/node/base/clock'
import type { Reader } from '@songhua/node/permission/reads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createKeyFile } from '../permission/key-file.js'
import { CLERK, KEYS, READING, everyDoor, levelsWord } from '../permission/readers.js'
import { BUREAU, organisationSlot, organisationWord } from '../permission/registers.js'
import { type FixtureChain, quiet } from '../rpc/fixture-chain.js'
import { createReadingChain, setWord } from '../rpc/reading-chain.js'

let folder: string
let chain: FixtureChain | undefined
let gateway: Gateway | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'songhua-reads-'))
})
afterEach(async () => {
  await gateway?.stop()
  await chain?.stop()
  gateway = chain = undefined
  await rm(folder, { recursive: true, force: true })
})

const open = ({ ledger }: FixtureChain): Reads => openReads(folder, { ledger, clock: systemClock, logger: quiet })

describe('the reads of a node', () => {
  it('are nobody\'s where nobody has set a level: opened by motion, never by omission', async () => {
    chain = await createReadingChain({})
    const reads = open(chain)
    expect(() => reads.guard.check('eth', undefined)).toThrow(expect.objectContaining({ code: 'PERMISSION_READ' }) as Error)
  })
})

describe('the process of the gateway', () => {
  it('learns with each block who may read, and asks once for each key and block', async () => {
    chain = await createReadingChain({ ...everyDoor('public'), trace: 'members' })
    const reads = open(chain)
    const asked: Reader[] = []
    const counting = { standingOf: (reader: Reader) => (asked.push(reader), reads.standingOf(reader)) }
    const { gatewayDir, gatewayKeysDir: keysDir, apiKeysFile } = dataPaths(folder)
    const { token } = createKeyFile(apiKeysFile).make({ issuer: KEYS["a member's key"].issuer, account: CLERK })
    gateway = await startGateway(
      {
        chainId: chain.ledger.genesis.chainId, genesisHash: chain.head().hash, accountKey: new Uint8Array(32).fill(5), gatewayDir, keysDir,
        options: { ...resolveOptions().gateway, enabled: true, port: 0 }, log: { level: 'silent', format: 'json' }, name: 'test',
      },
      { handlers: chainHandlers({ ...chain.ledger, pool: chain.pool }, counting), clock: systemClock, logger: quiet },
    )
    const { host, port } = gateway.address
    chain.ledger.chain.onBlock(() => gateway!.notify())
    const status = async (): Promise<string> => {
      const response = await fetch(`http://${host}:${port}/v1/records?schema=trace.object-event`, { headers: { authorization: `Bearer ${token}` } })
      const { error } = (await response.json()) as { error?: { code: string; details: { missing: string } } }
      return error ? `${error.code} ${error.details.missing}` : String(response.status)
    }
    const setBureau = (value: bigint) => setWord(chain!, ORGANISATION_REGISTER_ADDRESS, organisationSlot(BUREAU), organisationWord({ ...READING, status: value }))
    expect([await status(), await status(), await status()]).toEqual(['200', '200', '200'])
    expect(asked).toEqual([{ organisation: BUREAU, account: CLERK }])
    await setBureau(2n)
    await expect.poll(status).toBe('PERMISSION_READ membership')
    await setBureau(1n)
    await expect.poll(status).toBe('200')
    await setWord(chain, POLICY_REGISTER_ADDRESS, POLICY_SLOT.readLevels, levelsWord({ government: 'public' }))
    await expect.poll(status).toBe('PERMISSION_READ listing')
    expect(asked).toHaveLength(4)
  }, 60_000)
})
