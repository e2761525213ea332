import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { CRASH_NOTE, CRASH_POINTS } from '@songhua/node/base/crash-points'
import { CRASH_VARIABLE, readCrashOrder } from '@songhua/node/cli/crash-order'
import { DEVNET_CHAIN_ID, PROVINCE_CHAIN_ID } from '@songhua/node/cli/node-config'
import { rosterOfOne } from '../support/roster.js'
import { songhua, testContext, testFolder } from './support.js'

const context = testContext()
const read = (text: string | undefined, chainId: number = DEVNET_CHAIN_ID) =>
  readCrashOrder(context, { [CRASH_VARIABLE]: text }, chainId)

describe('the order to die at a crash point', () => {
  it('is read with and without a count', () => {
    expect(read(undefined)).toBeUndefined()
    expect(read('')).toBeUndefined()
    expect(read('block.after-batch')).toEqual({ point: 'block.after-batch', nth: 1 })
    expect(read('signing.persisted:12')).toEqual({ point: 'signing.persisted', nth: 12 })
  })

  it.each(['block', 'toString', 'block.after-batch:0', 'block.after-batch:', 'block.after-batch:x', ':3', 'block.after-batch:1:2', 'block.after-batch:9999999'])(
    'is refused as %j, naming it and what there is',
    (text) => {
      expect(() => read(text)).toThrow(expect.objectContaining({ code: 'CLI_CRASH_POINT' }))
      expect(() => read(text)).toThrow(JSON.stringify(text))
      for (const point of Object.keys(CRASH_POINTS)) expect(() => read(text)).toThrow(point)
    },
  )

  it('is refused on every chain but a devnet, where it would be an accident', () => {
    expect(() => read('block.after-batch', PROVINCE_CHAIN_ID)).toThrow(expect.objectContaining({ code: 'CLI_CRASH_POINT' }))
  })
})

describe('a crash point', () => {
  const module = new URL('../../node/dist/base/crash-points.js', import.meta.url).href
  const run = (order: object | undefined) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', `
      import { armCrashPoint, crashPoint, crashPointOnceSent } from ${JSON.stringify(module)}
      process.on('exit', () => console.log('exit'))
      const order = ${JSON.stringify(order)}
      if (order) armCrashPoint(order)
      for (let time = 1; time <= 3; time++) {
        try { crashPoint('block.decided'); crashPoint('block.imported'); console.log(time) } finally { console.log('finally') }
      }
      crashPointOnceSent('signing.sent')
      console.log('sent')
      await new Promise((later) => setTimeout(later, 500))
    `], { encoding: 'utf8' })

  it('kills at its turn, and nothing runs after it', () => {
    const { signal, stdout, stderr } = run({ point: 'block.imported', nth: 2 })
    expect([signal, stdout, stderr]).toEqual(['SIGKILL', '1\nfinally\n', `${CRASH_NOTE}block.imported\n`])
  })

  it('kills after what was sent has left', () => {
    const { signal, stdout, stderr } = run({ point: 'signing.sent', nth: 1 })
    expect([signal, stdout.endsWith('sent\n'), stderr]).toEqual(['SIGKILL', true, `${CRASH_NOTE}signing.sent\n`])
  })

  it('does nothing when another one is ordered, or none', () => {
    const expected = '1\nfinally\n2\nfinally\n3\nfinally\nsent\nexit\n'
    for (const order of [undefined, { point: 'block.imported', nth: 4 }]) {
      const { status, stdout, stderr } = run(order)
      expect([status, stdout, stderr]).toEqual([0, expected, ''])
    }
  })
})

describe('songhua start', () => {
  it('refuses to start on the chain of the province when a crash is ordered', async () => {
    const folder = await testFolder()
    const password = folder('password')
    await writeFile(password, 'correct horse\n')
    const made = await songhua(['init', '--data', folder('node'), '--key-password-file', password])
    expect(made.code).toBe(0)
    const publicKey = /0x0[23][0-9a-f]{64}/.exec(made.stdout + made.stderr)![0]
    const roster = rosterOfOne(publicKey)
    await writeFile(folder('roster.json'), JSON.stringify(roster))
    const written = await songhua(['genesis', '--roster', folder('roster.json'), '--out', `${folder('node')}/genesis.json`])
    expect(written.code, written.stderr).toBe(0)
    const words = ['start', '--data', folder('node'), '--key-password-file', password]
    const refused = await songhua(words, { environment: { LANG: 'en_US.UTF-8', [CRASH_VARIABLE]: 'block.decided' } })
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('CLI_CRASH_POINT')])
  })
})
