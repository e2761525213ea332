import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { connectGovernance, keySigner } from '@songhua/sdk/governance'
import { type NodePlan, type Organisation, planNodes, readOrganisations } from './plan.js'
import { songhua, startNode } from './songhua.js'

const out = resolve(process.env.OUT ?? '.songhua/province')
const cities = integer('CITIES', { preset: 13, min: 3, max: 13 })
const basePort = integer('BASE_PORT', { preset: 9600, min: 1024, max: 65_000 })
const CHAIN_ID = '230000'
const READY_MS = 180_000
/** Keys are encrypted with scrypt, half a second each: a few at a time. */
const AT_ONCE = 2

function integer(name: string, { preset, min, max }: { preset: number; min: number; max: number }): number {
  const value = Number(process.env[name] ?? preset)
  if (Number.isInteger(value) && value >= min && value <= max) return value
  console.error(`${name} is ${process.env[name]}; it must be ${min} to ${max} 取值须为 ${min} 至 ${max}`)
  process.exit(2)
}

interface Made extends NodePlan {
  readonly dir: string
  readonly publicKey: string
  readonly peerId: string
}

const passwordFile = join(out, 'password')
const accountFile = ({ slug }: Organisation): string => join(out, 'accounts', `${slug}.json`)

async function inTurn<T, R>(items: readonly T[], make: (item: T) => Promise<R>): Promise<R[]> {
  const made: R[] = []
  for (let at = 0; at < items.length; at += AT_ONCE) made.push(...(await Promise.all(items.slice(at, at + AT_ONCE).map(make))))
  return made
}

/** Each organisation makes the key of its account. In a real province each does it at home. */
async function makeAccount(organisation: Organisation): Promise<Organisation & { administrator: string }> {
  const said = await songhua('keys', 'new', '--out', accountFile(organisation), '--key-password-file', passwordFile, '--json')
  return { ...organisation, administrator: (JSON.parse(said) as { address: string }).address }
}

async function makeNode(plan: NodePlan): Promise<Made> {
  const dir = join(out, plan.slug)
  const ports = ['--rpc-port', String(plan.port), '--admin-port', String(plan.port + 1), '--p2p-listen', `127.0.0.1:${plan.port + 2}`]
  const said = await songhua('init', '--data', dir, '--name', plan.name, '--key-password-file', passwordFile, ...ports, '--json')
  return { ...plan, dir, ...(JSON.parse(said) as { publicKey: string; peerId: string }) }
}

/** Who begins: seven organisations with seats, the machines and the bodies behind each. */
async function makeGenesis(organisations: readonly (Organisation & { administrator: string })[], nodes: readonly Made[]): Promise<void> {
  const entry = ({ name, city, publicKey, kind, government, telecom, operator, acCode }: Made) =>
    ({ name, city, publicKey, kind, government, telecom, operator, acCode })
  const roster = {
    chainId: Number(CHAIN_ID),
    organisations: organisations.map(({ uscc, kind, nameZh, nameEn, administrator }) => ({ uscc, kind, nameZh, nameEn, administrator, seat: true })),
    validators: nodes.filter(({ isValidator }) => isValidator).map(entry),
    nodes: nodes.filter(({ isValidator }) => !isValidator).map(entry),
  }
  await writeFile(join(out, 'roster.json'), JSON.stringify(roster, undefined, 2))
  await songhua('genesis', '--roster', join(out, 'roster.json'), '--out', join(out, 'genesis.json'))
  const genesis = await readFile(join(out, 'genesis.json'))
  for (const { dir } of nodes) await writeFile(join(dir, 'genesis.json'), genesis)
}

function startAll(nodes: readonly Made[]): () => Promise<void> {
  const bootnodes = nodes.filter(({ isValidator }) => isValidator).map(({ port, peerId }) => `/ip4/127.0.0.1/tcp/${port + 2}/p2p/${peerId}`)
  const stops = nodes.map(({ dir, port, isValidator }) => {
    const others = bootnodes.filter((address) => !address.includes(`/tcp/${port + 2}/`)).join(',')
    const words = ['--data', dir, '--key-password-file', passwordFile, '--bootnodes', others]
    return startNode(join(dir, 'node.log'), ...words, ...(isValidator ? [] : ['--follow']))
  })
  return async () => void (await Promise.all(stops.map((stop) => stop())))
}

const url = ({ port }: NodePlan): string => `http://127.0.0.1:${port}`

async function blockNumber(node: NodePlan): Promise<number> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_blockNumber', params: [] })
  const response = await fetch(url(node), { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  return Number(((await response.json()) as { result: string }).result)
}

async function untilAll(nodes: readonly NodePlan[], height: number): Promise<void> {
  for (const deadlineMs = Date.now() + READY_MS; ; await new Promise((done) => setTimeout(done, 500))) {
    const heights = await Promise.all(nodes.map((node) => blockNumber(node).catch(() => -1)))
    if (heights.every((one) => one >= height)) return
    if (Date.now() > deadlineMs) throw new Error(`blocks of the nodes: ${heights.join(' ')}; their logs stand in ${out}/*/node.log`)
  }
}

/** The account of a seat, as its owner would open it. */
async function seatOf(organisation: Organisation, rpc: string) {
  const plain = join(out, 'accounts', `${organisation.slug}.hex`)
  await songhua('keys', 'export', accountFile(organisation), '--key-password-file', passwordFile, '--out', plain)
  return connectGovernance({ rpc, signer: keySigner((await readFile(plain, 'utf8')).trim()) })
}

/** The council of seven gives the last city its AC code anew: proposed by one, approved by three more, executed. */
async function passMotion(organisations: readonly Organisation[], nodes: readonly Made[]): Promise<number> {
  const [first, ...others] = await Promise.all(organisations.slice(0, 4).map((one) => seatOf(one, url(nodes[0]!))))
  const { id } = await first!.propose('withdrawAcCode', { acCode: nodes.at(-1)!.acCode }, '示例：收回链码 · example: an AC code is withdrawn')
  for (const seat of others) await seat.vote(id, true)
  const { blockNumber } = await first!.execute(id)
  return blockNumber
}

await mkdir(join(out, 'accounts'), { recursive: true })
// Never over another: the keys of a province that is there already could not be opened any more.
await writeFile(passwordFile, `${randomBytes(16).toString('hex')}\n`, { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
  if (error.code !== 'EEXIST') throw error
  console.error(`${out} holds a province already; name another folder with OUT, or remove it 目录已有示例，请用 OUT 另指定目录或将其删除`)
  process.exit(2)
})
const organisations = await inTurn(await readOrganisations(), makeAccount)
const nodes = await inTurn(await planNodes(organisations, { basePort, cities }), makeNode)
await makeGenesis(organisations, nodes)
console.log(`${organisations.length} organisations 机构, ${nodes.length} nodes 节点, genesis 创世 ${join(out, 'genesis.json')}`)
const stop = startAll(nodes)
try {
  await untilAll(nodes, 1)
  console.log(`${nodes.length} nodes are at block 1 全部节点已出块`)
  const executed = await passMotion(organisations, nodes)
  await untilAll(nodes, executed)
  console.log(`motion executed in block ${executed}, known to all 议案已执行，全网可见`)
  if (process.env.KEEP === '1') await new Promise((done) => process.once('SIGINT', done))
} finally {
  await stop()
}
