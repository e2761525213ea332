import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RECORD_SCHEMAS } from '@songhua/sdk/records/schemas/catalogue'
import { systemClock } from '@songhua/node/base/clock'
import type { Logger } from '@songhua/node/base/logger'
import { type Gateway, startGateway } from '@songhua/node/app/gateway-process'
import type { GatewaySettings } from '@songhua/node/app/gateway-settings'
import { resolveOptions } from '@songhua/node/app/options'
import { until } from '../support/devnet.js'

/** Runs the built gateway, as the node does. */

let folder: string
let gateway: Gateway | undefined
const lines: { message: string; fields: Record<string, unknown> | undefined }[] = []
const note = (message: string, fields?: Record<string, unknown>): void => void lines.push({ message, fields })
const logger: Logger = { debug: note, info: note, warn: note, error: note, child: () => logger }

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'songhua-gateway-'))
  lines.length = 0
})
afterEach(async () => {
  await gateway?.stop()
  gateway = undefined
  await rm(folder, { recursive: true, force: true })
})

function settings(port: number): GatewaySettings {
  return {
    chainId: 230_099,
    genesisHash: `0x${'11'.repeat(32)}`,
    accountKey: new Uint8Array(randomBytes(32)),
    gatewayDir: join(folder, 'gateway'),
    keysDir: join(folder, 'keys'),
    options: { ...resolveOptions().gateway, enabled: true, port },
    log: { level: 'silent', format: 'json' },
    name: 'test',
  }
}

/** A node whose chain stands still. */
const handlers = {
  pendingNonce: () => 0n,
  submit: () => undefined,
  locate: () => undefined,
  head: () => 0,
  header: () => {
    throw new Error('no blocks')
  },
  historyPath: () => [],
}

const start = async (port = 0): Promise<Gateway> => (gateway = await startGateway(settings(port), { handlers, clock: systemClock, logger }))
const answers = async ({ address }: Gateway): Promise<boolean> =>
  (await fetch(`http://${address.host}:${address.port}/v1/schemas`).catch(() => undefined))?.ok === true

describe('the gateway of a node', () => {
  it('answers, gives its figures, and ends when it is told to', async () => {
    const running = await start()
    expect([running.isUp(), await answers(running)]).toEqual([true, true])
    expect(await running.stats()).toMatchObject({ figures: { up: 1, answering: 1, restarts_total: 0, recordsPending: 0 } })
    await running.stop()
    expect([running.isUp(), await answers(running)]).toEqual([false, false])
  })

  it('is started again when it is killed', async () => {
    const running = await start()
    const { pid } = await processOf(running)
    process.kill(pid, 'SIGKILL')
    await until('it to be down', () => !running.isUp())
    expect(running.health()).toEqual({ isUp: false, error: { code: 'GATEWAY_DOWN', message: 'it ended by SIGKILL' }, restarts: 1 })
    expect(await running.stats()).toEqual({ figures: { up: 0, restarts_total: 1 }, refusals: [] })
    await until('it to answer again', () => answers(running), 30_000)
    expect(lines.map(({ message }) => message)).toContain('the gateway ended by itself')
  })

  it('leaves the node alone when it cannot start, says why, and comes when it can', async () => {
    const taken = createServer()
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port))
    })
    const running = await start(port)
    expect(running.isUp()).toBe(false)
    expect(lines.find(({ message }) => message.startsWith('the gateway cannot be started'))?.fields?.error).toContain(String(port))
    await expect(running.backup({ to: join(folder, 'a'), keysTo: join(folder, 'b') })).rejects.toMatchObject({ code: 'GATEWAY_DOWN' })
    await new Promise((closed) => taken.close(closed))
    await until('it to answer', () => answers(running), 30_000)
  })

  it('takes schemas from its folder, and names the file of one that is bad', async () => {
    const folderOfSchemas = join(folder, 'gateway', 'schemas')
    await mkdir(folderOfSchemas, { recursive: true })
    const own = { ...RECORD_SCHEMAS[0]!, id: 'government.fishing-permit', version: '3' }
    await writeFile(join(folderOfSchemas, 'fishing.json'), JSON.stringify(own))
    const running = await start()
    const { host, port } = running.address
    const shown = await fetch(`http://${host}:${port}/v1/schemas/government.fishing-permit`)
    expect([shown.status, await shown.json()]).toEqual([200, expect.objectContaining({ id: 'government.fishing-permit', version: '3' })])
    await running.stop()
    await writeFile(join(folderOfSchemas, 'broken.json'), JSON.stringify({ ...own, version: 'three' }))
    expect((await start()).isUp()).toBe(false)
    const told = lines.find(({ message }) => message.startsWith('the gateway cannot be started'))?.fields?.error
    expect(told).toContain(join(folderOfSchemas, 'broken.json'))
  })

  it('makes no new secret beside records that are there', async () => {
    await (await start()).stop()
    await rename(join(folder, 'keys'), join(folder, 'not-mounted'))
    const running = await start()
    expect(running.isUp()).toBe(false)
    const told = lines.find(({ message }) => message.startsWith('the gateway cannot be started'))?.fields
    expect(told).toEqual({ code: 'GATEWAY_SECRET_MISSING', error: expect.stringContaining('is the volume of the keys mounted?') as string })
    expect(running.health()).toEqual({ isUp: false, error: { code: told!.code, message: told!.error }, restarts: 1 })
  })
})

/** The gateway's process, by what it says of itself. */
async function processOf(running: Gateway): Promise<{ pid: number }> {
  const { pid } = (await running.stats()).figures
  if (pid === undefined) throw new Error('the gateway does not say its pid')
  return { pid }
}
