import { execFile } from 'node:child_process'
import { readFile, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { RECORD_ANCHOR_ADDRESS } from '@songhua/contracts/addresses'
import { recordAnchor } from '@songhua/contracts/generated/RecordAnchor'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { canonicalBytes } from '@songhua/sdk/protocol/canonical-json'
import { verifyEvidence } from '@songhua/sdk/protocol/evidence'
import { parseEvidence } from '@songhua/sdk/protocol/evidence-format'
import type { EvidenceVerdict } from '@songhua/sdk/protocol/evidence-verdict'
import { encodeFunctionData } from 'viem'
import { rpc } from '../support/devnet.js'

const ROOT = resolve(import.meta.dirname, '../..')
const SONGHUA = join(ROOT, 'node/bin/songhua.mjs')
const run = promisify(execFile)

/** `npm start` of one example, as a user types it. @returns the lines it prints */
export async function startExample(name: string, env: Record<string, string>, timeout = 60_000): Promise<string[]> {
  const words = ['start', '--silent', '-w', `examples/${name}`]
  const options = { cwd: ROOT, env: { ...process.env, ...env }, timeout, shell: process.platform === 'win32' }
  const { stdout } = await run('npm', words, options)
  return stdout.trimEnd().split('\n')
}

/** `songhua apikey create` on the node's folder. */
export async function createKey(data: string, key: { issuer: string; name: string; scopes?: string }): Promise<string> {
  const words = ['apikey', 'create', '--data', data, '--issuer', key.issuer, '--name', key.name]
  const { stdout } = await run(process.execPath, [SONGHUA, ...words, ...(key.scopes ? ['--scopes', key.scopes] : [])])
  return stdout.trim()
}

/** `songhua verify` on what was kept, as the README says it. */
export async function verifyByCommand(folder: string, id: string): Promise<{ valid: boolean }> {
  const file = (ending: string): string => join(folder, `${id}.${ending}`)
  const words = ['verify', file('evidence.json'), '--payload', file('payload.json'), '--salt', file('salt')]
  const { stdout } = await run(process.execPath, [SONGHUA, ...words, '--anchor', join(folder, 'trust-anchor.json'), '--json'])
  return JSON.parse(stdout) as { valid: boolean }
}

export const filesIn = async (folder: string, ending: string): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.endsWith(ending)).sort()

/** What an auditor finds who has only the files: with payload and salt where these are there too. */
export async function verifyKept(folder: string, id: string, withPayload: boolean): Promise<EvidenceVerdict> {
  const trustAnchor: unknown = JSON.parse(await readFile(join(folder, 'trust-anchor.json'), 'utf8'))
  const evidence = await readFile(join(folder, `${id}.evidence.json`), 'utf8')
  if (!withPayload) return verifyEvidence(evidence, { trustAnchor })
  const payload = await readFile(join(folder, `${id}.payload.json`))
  const salt = Buffer.from(await readFile(join(folder, `${id}.salt`), 'utf8'), 'hex')
  return verifyEvidence(evidence, { payload, salt, trustAnchor })
}

/** Asks the contract on the chain whether the batch of one kept record holds the envelope of another, at its place. */
export async function isOnChain(url: string, folder: string, ids: { record: string; envelope: string }): Promise<boolean> {
  const bundleOf = async (id: string) => parseEvidence(await readFile(join(folder, `${id}.evidence.json`), 'utf8'))
  const { facts } = await verifyKept(folder, ids.record, false)
  const { inclusion } = await bundleOf(ids.record)
  const { id, root, size, sender } = facts!.batch
  const envelope = bytesToHex(canonicalBytes((await bundleOf(ids.envelope)).envelope))
  const family = ['government', 'trace', 'credit'].indexOf(facts!.family) + 1
  const data = encodeFunctionData({
    abi: recordAnchor.abi,
    functionName: 'verifyEnvelope',
    args: [sender, id, root, BigInt(size), family, BigInt(inclusion.leafIndex), envelope, inclusion.path],
  })
  return BigInt(await rpc<string>(url, 'eth_call', [{ to: RECORD_ANCHOR_ADDRESS, data }, 'latest'])) === 1n
}
