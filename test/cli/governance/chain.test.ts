import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Devnet, removeDir, startDevnet, tempDir } from '../../support/devnet.js'
import type { Ended } from '../in-process.js'
import { testFolder } from '../support.js'
import { USCC, keyFile, runCommand } from './forms.js'

const at = await testFolder()
let devnet: Devnet
let dataDir: string
let url: string

beforeAll(async () => {
  dataDir = await tempDir('governance')
  devnet = await startDevnet({ validators: 1, gateways: 1, dataDir })
  url = devnet.ready.nodes[0]!.rpc
  await Promise.all(devnet.ready.accounts.map(({ privateKey }, index) => writeFile(at(`account-${index}`), privateKey)))
})

afterAll(async () => {
  await devnet?.stop()
  await removeDir(dataDir)
})

/** A command that reads. */
const ask = (...words: string[]): Promise<Ended> => runCommand([...words, '--rpc', url])
/** A command by a development account; 0 to 3 administer the seats. */
const by = (account: number, words: readonly string[], language: 'en' | 'zh' = 'en'): Promise<Ended> =>
  runCommand([...words, '--rpc', url, '--dev-key-file', at(`account-${account}`)], { language })
const jsonOf = <T>({ stdout, message }: Ended): T => {
  expect(message).toBe('')
  return JSON.parse(stdout) as T
}

/** Proposed by the first seat, approved by two more, the second of which executes it. @returns its number */
async function pass(kind: string, ...words: string[]): Promise<number> {
  const { id } = jsonOf<{ id: number }>(await by(0, ['council', 'propose', kind, ...words, '--reason', 'as agreed', '--json']))
  expect(await by(1, ['council', 'vote', String(id), '--yes'])).toMatchObject({ code: 0, message: '' })
  expect(await by(2, ['council', 'vote', String(id), '--yes', '--execute'])).toMatchObject({ code: 0, message: '' })
  return id
}

describe('a motion', () => {
  it('is proposed, shown with names, voted and executed', async () => {
    const application = at('bank.json')
    const administrator = devnet.ready.accounts[5]!.address
    const applied = await by(5, ['apply', 'organisation', '--uscc', USCC.bank, '--kind', 'bank', '--name-zh', '冰城银行', '--name-en', 'Ice City Bank',
      '--roles', 'anchor,read,deploy', '--gas-per-day', 'unlimited', '--out', application])
    expect([applied.message, applied.stdout]).toEqual(['', expect.stringContaining(`propose admitOrganisation --application ${application}`)])
    const proposed = await by(0, ['council', 'propose', 'admitOrganisation', '--application', application, '--reason', '材料已核验'])
    expect([proposed.message, proposed.stdout]).toEqual(['', expect.stringMatching(/Motion 0 is proposed.* 1 of 3 votes.*UTC\+8/)])
    const shown = await runCommand(['council', 'show', '0', '--rpc', url], { language: 'zh' })
    for (const part of ['接纳机构', '冰城银行', administrator, '不限', '材料已核验', '开发网网信办 (11230000MB0000019P)', '赞成 1，反对 0；需赞成 3']) {
      expect(shown.stdout).toContain(part)
    }
    expect((await by(1, ['council', 'vote', '0', '--yes', '--execute'])).stderr).toContain('1 more votes')
    const early = await by(1, ['council', 'execute', '0'])
    expect([early.code, early.error, early.message]).toEqual([11, 'GOVERNANCE_REFUSED', expect.stringContaining('2 of the 3 votes')])
    const enough = await by(2, ['council', 'vote', '0', '--yes'])
    expect(enough.stdout).toContain('songhua council execute 0')
    expect(await by(3, ['council', 'execute', '0'])).toMatchObject({ code: 0, message: '' })
    const organisations = jsonOf<{ uscc: string; hasSeat: boolean; gasPerDay: string }[]>(await ask('organisations', '--json'))
    expect(organisations.find(({ uscc }) => uscc === USCC.bank)).toMatchObject({ nameEn: 'Ice City Bank', hasSeat: false, gasPerDay: String(2n ** 64n - 1n) })
  }, 60_000)

  it('is listed while it is open, and with --all for ever; its proposer takes it back', async () => {
    const { id } = jsonOf<{ id: number }>(await by(3, ['council', 'propose', 'scheduleProtocol', '--protocol-version', '2', '--height', '100000', '--reason', 'x', '--json']))
    expect((await ask('council', 'motions')).stdout).toContain('schedule a protocol version')
    const open = jsonOf<{ id: number; arguments: object }[]>(await ask('council', 'motions', '--json'))
    expect(open).toMatchObject([{ id, kind: 'scheduleProtocol', arguments: { version: 2, height: 100_000 } }])
    expect((await by(0, ['council', 'cancel', String(id)])).message).toContain('91230100MA00000231')
    expect(await by(3, ['council', 'cancel', String(id)])).toMatchObject({ code: 0, message: '' })
    expect((await ask('council', 'motions')).stdout).toBe('no motions\n')
    expect(jsonOf<{ status: string }[]>(await ask('council', 'motions', '--all', '--json')).map(({ status }) => status)).toEqual(['executed', 'cancelled'])
  }, 60_000)

  it('on read levels keeps those of doors that are not named, and says all of them before it is sent', async () => {
    const levels = async (id: number) => jsonOf<{ arguments: { levels: object } }>(await ask('council', 'show', String(id), '--json')).arguments.levels
    const open = { net: 'public', web3: 'public', txpool: 'public', debug: 'public', qbft: 'public', songhua: 'public', trace: 'public', credit: 'public' }
    const proposed = await by(0, ['council', 'propose', 'setReadLevels', '--levels', 'eth=members,government=members', '--reason', 'x', '--json'])
    expect(proposed.stderr).toMatch(/  eth +members \(now public\)\n/)
    for (const door of Object.keys(open)) expect(proposed.stderr).toMatch(new RegExp(`  ${door} +public`))
    const { id } = jsonOf<{ id: number }>(proposed)
    expect(await levels(id)).toEqual({ ...open, eth: 'members', government: 'members' })
    await writeFile(at('levels.json'), JSON.stringify({ levels: { ...open, eth: 'listed', government: 'listed', credit: 'members' } }))
    const whole = await by(0, ['council', 'propose', 'setReadLevels', '--args', at('levels.json'), '--reason', 'x', '--json'], 'zh')
    expect(whole.stderr).toContain('members（现为 public）')
    const second = jsonOf<{ id: number }>(whole).id
    expect(await levels(second)).toEqual({ ...open, eth: 'listed', government: 'listed', credit: 'members' })
    for (const one of [id, second]) expect(await by(0, ['council', 'cancel', String(one)])).toMatchObject({ code: 0 })
  }, 60_000)

  it('is refused in plain words', async () => {
    const chinese = await by(6, ['council', 'propose', 'seat', '--uscc', USCC.bank, '--reason', 'x'], 'zh')
    expect([chinese.code, chinese.error, chinese.message]).toEqual([11, 'GOVERNANCE_REFUSED', expect.stringContaining('不是任何理事机构的管理员')])
    const unknown = await ask('council', 'show', '77')
    expect([unknown.code, unknown.message]).toEqual([11, 'There is no motion 77; songhua council motions --all lists them.'])
    expect((await by(0, ['node', 'activate', `0x${'11'.repeat(20)}`])).message).toContain('not known to the chain')
  })

  it('needs a seat, which the table of seats shows', async () => {
    const seats = await runCommand(['council', 'seats', '--rpc', url], { language: 'zh' })
    for (const part of ['开发网电信公司', '电信运营商', devnet.ready.accounts[2]!.address]) expect(seats.stdout).toContain(part)
    expect(jsonOf<object[]>(await ask('council', 'seats', '--json'))).toHaveLength(4)
  })
})

describe('an organisation', () => {
  const SHOP = '91230100MA0003304Q'

  it('that has applied is listed until the council has admitted it, with who sent it', async () => {
    const words = (sender: number): string[] => ['apply', 'organisation', '--uscc', SHOP, '--kind', 'enterprise', '--name-zh', `松花商店${sender}`, '--name-en', `Shop ${sender}`,
      '--administrator', devnet.ready.accounts[7]!.address]
    expect((await ask('apply', 'list')).stdout).toBe('no open applications\n')
    for (const sender of [7, 8, 7]) expect(await by(sender, [...words(sender), '--out', at(`shop-${sender}-${Math.random()}.json`)])).toMatchObject({ code: 0, message: '' })
    const open = jsonOf<{ entry: { uscc: string; nameEn: string }; sender: string; documentsHash: string }[]>(await ask('apply', 'list', '--json'))
    // Whoever may apply may do so in any name: a stranger's does not cover the true one.
    expect(open.map(({ entry, sender }) => [entry.uscc, entry.nameEn, sender])).toEqual([8, 7].map((sender) => [SHOP, `Shop ${sender}`, devnet.ready.accounts[sender]!.address.toLowerCase()]))
    const shown = await runCommand(['apply', 'list', '--rpc', url], { language: 'zh' })
    for (const part of ['松花商店7', SHOP, 'UTC+8', open[1]!.documentsHash, devnet.ready.accounts[8]!.address.toLowerCase()]) expect(shown.stdout).toContain(part)
    await pass('admitOrganisation', '--uscc', SHOP, '--kind', 'enterprise', '--name-zh', '松花商店', '--name-en', 'Shop', '--administrator', devnet.ready.accounts[7]!.address,
      '--roles', 'anchor', '--gas-per-day', 'unlimited', '--bytes-per-day', 'unlimited')
    expect(jsonOf<object[]>(await ask('apply', 'list', '--json'))).toEqual([])
  }, 60_000)

  it('names other contact data, which stay off the chain', async () => {
    await writeFile(at('contact.json'), '{"telephone":"0451-00000000"}')
    const hash = `0x${createHash('sha256').update(await readFile(at('contact.json'))).digest('hex')}`
    const words = ['organisations', 'contact', '--contact-file', at('contact.json')]
    const done = await by(7, words, 'zh')
    expect([done.message, done.stdout]).toEqual(['', expect.stringContaining(`松花商店（${SHOP}）的联系信息哈希为 ${hash}`)])
    const organisations = jsonOf<{ uscc: string; contactHash?: string }[]>(await ask('organisations', '--json'))
    expect(organisations.find(({ uscc }) => uscc === SHOP)).toMatchObject({ contactHash: hash })
    expect(jsonOf<object>(await by(7, [...words, '--json']))).toMatchObject({ uscc: SHOP, contactHash: hash })
    expect(await by(6, words)).toMatchObject({ code: 11, error: 'GOVERNANCE_REFUSED' })
    expect(await ask(...words)).toMatchObject({ code: 2, error: 'CLI_USAGE' })
    expect(await by(7, ['organisations', 'contact', '--contact-file', at('absent')])).toMatchObject({ code: 2, error: 'CLI_FILE' })
  }, 60_000)
})

describe('an account', () => {
  const clerk = (): string => devnet.ready.accounts[6]!.address

  it('consents, is bound, changed, shown and released', async () => {
    const newcomer = await ask('account', 'show', clerk())
    expect(newcomer.stdout).toMatch(/a newcomer[\s\S]*anchor, deploy, apply/)
    const file = at('clerk.json')
    expect(await by(6, ['account', 'consent', '--uscc', USCC.bank, '--out', file])).toMatchObject({ code: 0, message: '' })
    expect((await by(0, ['account', 'bind', '--consent', file, '--roles', 'anchor'])).message).toContain('consent is not account')
    const bound = await by(5, ['account', 'bind', '--consent', file, '--roles', 'anchor,read'])
    expect([bound.message, bound.stdout]).toEqual(['', expect.stringContaining('Ice City Bank')])
    expect((await by(5, ['account', 'bind', '--consent', file, '--roles', 'anchor'])).message).toContain(`is bound to organisation ${USCC.bank}`)
    expect(await by(5, ['account', 'change', clerk(), '--gas-per-day', '5000000'])).toMatchObject({ code: 0, message: '' })
    const shown = await runCommand(['account', 'show', clerk(), '--rpc', url], { language: 'zh' })
    for (const part of [`冰城银行 (${USCC.bank})`, '上链 (anchor), 读取 (read)', '/ 5,000,000', '/ 不限']) expect(shown.stdout).toContain(part)
    const too = await by(5, ['account', 'change', clerk(), '--roles', 'issue'])
    expect([too.code, too.message]).toEqual([11, expect.stringContaining('The roles issue are not possible')])
    expect(await by(6, ['account', 'release', clerk()])).toMatchObject({ code: 0, message: '' })
    expect((await by(5, ['account', 'bind', '--consent', file, '--roles', 'anchor'])).message).toContain('has been used or revoked')
    expect((await by(5, ['account', 'change', clerk(), '--roles', 'read'])).message).toContain('bound to no organisation')
  }, 60_000)

  it('consents for the gateway of a node, whose key only the node has', async () => {
    const file = at('gateway.json')
    const words = ['account', 'consent', '--uscc', USCC.bank, '--gateway', join(dataDir, 'harbin')]
    expect(await by(6, words)).toMatchObject({ code: 2, error: 'CLI_USAGE' })
    expect(await ask(...words, '--out', file)).toMatchObject({ code: 0, message: '' })
    const status = (await (await fetch(`${devnet.ready.nodes[0]!.gateway}/v1/status`)).json()) as { account: string }
    expect(jsonOf<{ account: string }>({ ...(await by(5, ['account', 'bind', '--consent', file, '--roles', 'anchor', '--json'])) }).account.toLowerCase()).toBe(status.account)
    expect((await ask('account', 'show', status.account)).stdout).toContain(USCC.bank)
  })

  it('revokes what it has consented to', async () => {
    const file = at('regretted.json')
    await by(6, ['account', 'consent', '--uscc', USCC.bank, '--out', file])
    expect(await by(6, ['account', 'revoke'])).toMatchObject({ code: 0, message: '' })
    expect(await by(5, ['account', 'bind', '--consent', file, '--roles', 'anchor'])).toMatchObject({ code: 11, error: 'GOVERNANCE_REFUSED' })
  })

  it('has used today what it has sent', async () => {
    const { quota } = jsonOf<{ quota: { account: { used: { transactions: number; gas: string } } } }>(await ask('account', 'show', devnet.ready.accounts[5]!.address, '--json'))
    expect(quota.account.used.transactions).toBeGreaterThan(0)
    expect(BigInt(quota.account.used.gas)).toBeGreaterThan(0n)
  })
})

describe('a node', () => {
  let node: { path: string; address: string }
  const apply = (kind: string, out: string, ...words: string[]): Promise<Ended> =>
    by(3, ['apply', 'node', '--node-dev-key-file', node.path, '--kind', kind, '--city', '230200', '--operator', USCC.operator, '--out', at(out), ...words])
  const bodies = ['--government', USCC.government, '--telecom', USCC.telecom]

  it('can be confirmed as its file says, and not otherwise', async () => {
    node = await keyFile(at, 9)
    expect(await apply('backbone', 'first.json', ...bodies)).toMatchObject({ code: 0, message: '' })
    expect(await apply('super', 'second.json', ...bodies)).toMatchObject({ code: 0, message: '' })
    const other = await by(0, ['node', 'confirm', node.address, '--application', at('first.json')])
    expect([other.code, other.message]).toEqual([11, expect.stringContaining('is not the one that you have checked')])
    const confirmed = await by(0, ['node', 'confirm', node.address, '--application', at('second.json')])
    expect([confirmed.message, confirmed.stdout]).toEqual(['', expect.stringMatching(/super node Qiqihar.*✓ government body Devnet Cyberspace.*– telecom operator/)])
    const early = await by(0, ['council', 'propose', 'admitNode', '--application', at('second.json'), '--reason', 'x', '--json'])
    for (const seat of [1, 2]) await by(seat, ['council', 'vote', String(jsonOf<{ id: number }>(early).id), '--yes'])
    const refused = await by(0, ['council', 'execute', String(jsonOf<{ id: number }>(early).id)])
    expect(refused.message).toContain('missing: telecom operator, operating entity')
    expect((await ask('nodes')).stdout).toMatch(/super node +Qiqihar +applied.*✓ Devnet Cyberspace Office.*✗ Devnet Telecom/)
    expect((await by(1, ['node', 'confirm', node.address])).message).toContain('administers none of the organisations')
    await by(2, ['node', 'confirm', node.address])
    expect((await by(3, ['node', 'confirm', node.address])).stdout).toContain(`propose admitNode --node ${node.address}`)
  }, 60_000)

  it('is admitted, activated, suspended by its government body, reinstated and retired', async () => {
    await pass('admitNode', '--node', node.address)
    expect((await by(3, ['node', 'activate', node.address])).stdout).toContain('is active now')
    await writeFile(at('reason.txt'), 'overdue inspection')
    expect((await by(0, ['node', 'suspend', node.address, '--reason-file', at('reason.txt')], 'zh')).stdout).toContain('现已暂停')
    expect((await by(0, ['node', 'reinstate', node.address])).stdout).toContain('is active now')
    await pass('suspendNode', '--node', node.address)
    const ofCouncil = await by(0, ['node', 'reinstate', node.address])
    expect([ofCouncil.code, ofCouncil.error, ofCouncil.message]).toEqual([11, 'GOVERNANCE_REFUSED', expect.stringContaining('suspended by the council')])
    expect(ofCouncil.message).toContain(`songhua council propose reinstateNode --node ${node.address}`)
    expect((await by(0, ['node', 'reinstate', node.address], 'zh')).message).toContain('由理事会')
    await pass('reinstateNode', '--node', node.address)
    await writeFile(at('endpoints.json'), '[]')
    expect(await by(2, ['node', 'endpoints', node.address, '--endpoints-file', at('endpoints.json')])).toMatchObject({ code: 0, message: '' })
    await pass('issueAcCode', '--node', node.address, '--ac-code', 'qqh1')
    expect((await ask('nodes')).stdout).toMatch(/super node +Qiqihar +active +– +qqh1/)
  }, 60_000)

  it('gets a key that is made for it, and then one that is there', async () => {
    await writeFile(at('password'), 'correct horse battery staple\n')
    const made = at('node-key-2.json')
    const words = ['node', 'rotate', node.address, '--new-key-file', made, '--new-key-password-file', at('password')]
    expect((await by(0, words)).message).toContain('administers none of the organisations')
    const rotated = await by(3, words)
    expect([rotated.message, rotated.stdout]).toEqual(['', expect.stringContaining(`Put ${made} there as node-key.json`)])
    const { address } = jsonOf<{ address: string }>(await runCommand(['keys', 'show', made, '--key-password-file', at('password'), '--json']))
    expect(rotated.stdout).toContain(address)
    const { nodes } = jsonOf<{ nodes: { address: string; status: string; acCode?: string }[] }>(await ask('nodes', '--json'))
    expect(nodes.find((one) => one.address === address)).toMatchObject({ status: 'active', acCode: 'qqh1' })
    expect(nodes.find((one) => one.address === node.address)).toMatchObject({ status: 'retired' })
    const same = await by(3, ['node', 'rotate', address, '--new-key-file', made, '--new-key-password-file', at('password')])
    expect([same.code, same.message]).toEqual([2, expect.stringContaining('holds the key that node')])
    const third = await keyFile(at, 11)
    expect(await by(3, ['node', 'rotate', address, '--new-dev-key-file', third.path])).toMatchObject({ code: 0, message: '' })
    expect((await by(3, ['node', 'retire', third.address])).stdout).toContain('is retired now')
  }, 60_000)

  it('can be withdrawn by who applied, and an application is sent by no other', async () => {
    const service = await keyFile(at, 12)
    node = service
    expect(await apply('service', 'service.json')).toMatchObject({ code: 0, message: '' })
    expect((await by(3, ['node', 'withdraw', service.address])).stdout).toContain('is retired now')
    const foreign = await by(4, ['apply', 'submit', at('service.json')])
    expect([foreign.code, foreign.error, foreign.message]).toEqual([2, 'APPLICATION_INVALID', expect.stringContaining('can be sent by account')])
    expect(await by(3, ['apply', 'submit', at('service.json')])).toMatchObject({ code: 0, message: '' })
    expect(JSON.parse(await readFile(at('service.json'), 'utf8'))).toMatchObject({ chainId: 230099 })
  }, 60_000)
})
