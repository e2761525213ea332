import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Wallet } from 'ethers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Finished, songhua } from '../cli/support.js'
import { type Devnet, type Running, freeBasePort, hashAt, heightOf, removeDir, rpc, startDevnet, startSonghua, tempDir, until } from '../support/devnet.js'

// People on the command line, each with a key of its own and one node to ask; no file of any other node is touched.

const GOVERNMENT = '11230000MB0000019P'
const BUREAU = '11230000MB0000027J'
const TELECOM = '91230100MA00000156'
/** The organisation that joins. */
const OPERATOR = '91230100MA0000322Y'
const PASSWORD = 'correct horse battery staple'

let dataDir: string
let devnet: Devnet
let url: string
let follower: Running | undefined
let followerUrl: string
let nodeAddress: string
const at = (name: string): string => join(dataDir, name)
const passwordFlags = (): string[] => ['--key-password-file', at('password')]

/** A command by the key in a file, at a node of the chain. */
const by = (who: string, ...words: string[]): Promise<Finished> => songhua([...words, '--rpc', url, '--dev-key-file', at(who)])
async function done(command: Promise<Finished>): Promise<string> {
  const { code, stdout, stderr } = await command
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('songhua: error')])
  return stdout
}
const seat = (index: number): string => `seat-${index}`
/** Addresses of no account that was ever used here: their keys stand in files. */
async function newAccount(name: string): Promise<string> {
  const { address, privateKey } = Wallet.createRandom()
  await writeFile(at(name), privateKey)
  return address.toLowerCase()
}

/** Proposed by one seat, approved by two more; the last one's vote executes it. @returns its number */
async function pass([first, ...others]: [number, ...number[]], ...words: string[]): Promise<string> {
  const { id } = JSON.parse(await done(by(seat(first), 'council', 'propose', ...words, '--reason', 'as agreed', '--json'))) as { id: number }
  const last = others.pop()!
  for (const other of others) await done(by(seat(other), 'council', 'vote', String(id), '--yes'))
  expect(await done(by(seat(last), 'council', 'vote', String(id), '--yes', '--execute'))).toContain(`Motion ${id} is carried out`)
  return String(id)
}

/** Everything that the devnet's nodes were told in files. */
const configurations = (): Promise<string[]> =>
  Promise.all(['harbin', 'qiqihar', 'daqing', 'jiamusi'].map((name) => readFile(join(dataDir, 'net', name, 'songhua.json'), 'utf8')))

beforeAll(async () => {
  dataDir = await tempDir('council')
  devnet = await startDevnet({ validators: 4, dataDir: at('net') })
  url = devnet.ready.nodes[1]!.rpc
  await Promise.all(devnet.ready.accounts.slice(0, 4).map(({ privateKey }, index) => writeFile(at(seat(index)), privateKey)))
  await writeFile(at('password'), `${PASSWORD}\n`)
})

afterAll(async () => {
  await follower?.stop()
  await devnet?.stop()
  await removeDir(dataDir)
})

describe('an organisation', () => {
  it('applies with documents, which the council checks, and is admitted by three votes of four', async () => {
    await newAccount('operator')
    await writeFile(at('licence.pdf'), 'licence of the operator')
    await writeFile(at('mandate.pdf'), 'mandate of the operator')
    const application = at('organisation.json')
    const said = ['--uscc', OPERATOR, '--kind', 'operating-entity', '--name-zh', '冰城数据公司', '--name-en', 'Ice City Data']
    await done(by('operator', 'apply', 'organisation', ...said, '--documents', at('licence.pdf'), at('mandate.pdf'), '--out', application))
    await done(songhua(['apply', 'check', application, '--documents', at('licence.pdf'), at('mandate.pdf')]))
    await writeFile(at('altered-licence.pdf'), 'another licence')
    expect(await songhua(['apply', 'check', application, '--documents', at('altered-licence.pdf'), at('mandate.pdf')])).toMatchObject({ code: 2 })

    const id = await pass([0, 1, 2], 'admitOrganisation', '--application', application)
    expect(await done(songhua(['council', 'show', id, '--rpc', url]))).toMatch(/Ice City Data[\s\S]*executed[\s\S]*3 yes, 0 no; 3 yes needed/)
    expect(await done(songhua(['organisations', '--rpc', url]))).toContain('Ice City Data')
  }, 180_000)
})

describe('its node', () => {
  const startFollower = (): Running => startSonghua(['start', '--data', at('follower'), ...passwordFlags(), '--follow'])
  const atHead = async (): Promise<void> => {
    const top = await heightOf(url)
    await until('the follower at the head', async () => (await heightOf(followerUrl)) >= top, 60_000)
    expect(await hashAt(followerUrl, top)).toBe(await hashAt(url, top))
  }

  it('knocks in vain until it is admitted', async () => {
    const port = await freeBasePort(1)
    followerUrl = `http://127.0.0.1:${port}`
    const flags = [
      '--data', at('follower'), '--genesis', join(dataDir, 'net', 'genesis.json'), '--bootnodes', devnet.ready.nodes[0]!.p2p,
      '--rpc-port', String(port), '--admin-port', String(port + 1), '--p2p-listen', `127.0.0.1:${port + 2}`,
    ]
    const made = await done(songhua(['init', ...flags, ...passwordFlags(), '--follow', '--json']))
    nodeAddress = (JSON.parse(made) as { address: string }).address
    follower = startFollower()
    await until('the follower to answer', async () => (await heightOf(followerUrl)) === 0)
    const log = join(dataDir, 'net', 'harbin', 'node.log')
    await until('the refusal in the log', async () => /not.admitted/i.test(await readFile(log, 'utf8')))
    expect(await rpc<string>(followerUrl, 'net_peerCount')).toBe('0x0')
  }, 180_000)

  it('applies, is confirmed by its three bodies and admitted by motion, and follows; nobody edits a file', async () => {
    const before = await configurations()
    const application = at('node.json')
    const bodies = ['--government', GOVERNMENT, '--telecom', TELECOM, '--operator', OPERATOR]
    await done(by('operator', 'apply', 'node', '--data', at('follower'), '--node-key-password-file', at('password'), '--kind', 'backbone', '--city', '牡丹江',
      ...bodies, '--documents', at('licence.pdf'), '--out', application))
    const early = await by(seat(0), 'council', 'propose', 'admitNode', '--application', application, '--reason', 'too early')
    expect(early.stdout).toContain('Motion 1 is proposed')
    for (const body of [seat(0), seat(2), 'operator']) await done(by(body, 'node', 'confirm', nodeAddress, '--application', application))
    for (const other of [1, 3]) await done(by(seat(other), 'council', 'vote', '1', '--yes'))
    expect(await rpc<string>(followerUrl, 'net_peerCount')).toBe('0x0')
    await done(by(seat(3), 'council', 'execute', '1'))
    await atHead()
    expect(await done(songhua(['nodes', '--rpc', followerUrl]))).toMatch(/backbone node +Mudanjiang +admitted/)
    expect(await configurations()).toEqual(before)
  }, 180_000)

  it('gets another key, with which it comes back as it was told', async () => {
    const key = at('new-node-key.json')
    const told = await done(by('operator', 'node', 'rotate', nodeAddress, '--new-key-file', key, '--new-key-password-file', at('password')))
    expect(told).toContain(`Put ${key} there as node-key.json`)
    expect(await follower!.stop()).toBe(0)
    await writeFile(join(at('follower'), 'node-key.json'), await readFile(key))
    await done(by(seat(1), 'council', 'propose', 'seat', '--uscc', OPERATOR, '--reason', 'a block to follow'))
    follower = startFollower()
    await atHead()
  }, 180_000)
})

describe('a council', () => {
  it('replaces the administrator of an organisation whose key is lost; the old key governs no more', async () => {
    const next = await newAccount('bureau')
    await pass([0, 2, 3], 'replaceAdministrator', '--uscc', BUREAU, '--administrator', next)
    const { id } = JSON.parse(await done(by(seat(0), 'council', 'propose', 'suspendOrganisation', '--uscc', OPERATOR, '--reason', 'test', '--json'))) as { id: number }
    const old = await by(seat(1), 'council', 'vote', String(id), '--yes')
    expect([old.code, old.stderr]).toEqual([11, expect.stringContaining('administers no organisation with a seat')])
    expect(await done(by('bureau', 'council', 'vote', String(id), '--no'))).toContain('1 of 3 votes')
    expect(await done(songhua(['council', 'seats', '--rpc', url]))).toContain(next)
  }, 180_000)
})
