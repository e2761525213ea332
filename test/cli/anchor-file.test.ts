import { readFile, writeFile } from 'node:fs/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { verifyEvidence } from '@songhua/sdk/protocol/evidence'
import { refreshEvidence } from '@songhua/sdk/protocol/evidence-assembly'
import type { Header } from '@songhua/sdk/protocol/header'
import { parseTrustAnchor } from '@songhua/sdk/protocol/trust-anchor'
import { chain } from '../protocol/evidence-cases-support.js'
import { HEIGHT, setOf } from '../protocol/evidence-support.js'
import { GENESIS_JSON, MEMBERS, sealedBy } from '../protocol/support.js'
import { type RpcCall, type Stub, json, serve } from '../sdk/support.js'
import { runCommand } from './in-process.js'
import { testFolder } from './support.js'

const at = await testFolder()
const stubs: Stub[] = []
afterAll(async () => {
  for (const stub of stubs) await stub.stop()
})

const hex = (value: number | bigint): string => `0x${value.toString(16)}`

/** As eth_getBlockByNumber gives it. */
function headerToJson(header: Header): object {
  const { ommersHash, coinbase, logsBloom, extraData, nonce, ...rest } = header
  const quantities = Object.entries(rest).map(([key, value]) => [key, typeof value === 'string' ? value : hex(value as bigint)])
  return {
    ...Object.fromEntries(quantities) as object,
    sha3Uncles: ommersHash,
    miner: coinbase,
    logsBloom: bytesToHex(logsBloom),
    extraData: bytesToHex(extraData),
    nonce: bytesToHex(nonce),
  }
}

/** A node of the test chain, which has two changes of validators; some of its headers may be forged. */
async function node(forged: Record<number, Header> = {}): Promise<string> {
  const stub = await serve(({ body }, response) => {
    const { id, method, params } = JSON.parse(body) as RpcCall & { id: number }
    const header = forged[Number(params[0])] ?? chain.headers[Number(params[0])]
    const answers: Record<string, unknown> = {
      eth_chainId: hex(230099),
      eth_blockNumber: hex(HEIGHT),
      eth_getBlockByNumber: header === undefined ? null : headerToJson(header),
    }
    json(response, 200, { jsonrpc: '2.0', id, result: answers[method] })
  })
  stubs.push(stub)
  return stub.url
}

describe('songhua anchor-file', () => {
  it('vouches for no block unless told', async () => {
    const { stdout } = await runCommand(['anchor-file', '--rpc', await node()])
    expect(parseTrustAnchor(stdout).checkpoints).toEqual([])
  })

  it('vouches for the head, whose seals it checks from the genesis on, and prints what to compare', async () => {
    const out = at('head.json')
    const { code, stdout } = await runCommand(['anchor-file', '--rpc', await node(), '--out', out, '--checkpoint', 'head'])
    const { checkpoints, genesisHash, chainId } = parseTrustAnchor(await readFile(out, 'utf8'))
    expect([code, chainId, genesisHash]).toEqual([0, 230099, chain.hashes[0]])
    expect(checkpoints).toMatchObject([{ height: HEIGHT, hash: chain.hashes[HEIGHT] }])
    for (const part of [chain.hashes[0]!, `${HEIGHT} ${chain.hashes[HEIGHT]!}`, 'another way']) expect(stdout).toContain(part)
    const refreshed = refreshEvidence(chain.bundle(3), { height: HEIGHT, proofs: chain.proofs })
    expect(verifyEvidence(refreshed, { trustAnchor: await readFile(out, 'utf8') })).toMatchObject({
      valid: true,
      facts: { horizon: { proof: 'checkpoint', height: HEIGHT } },
    })
  })

  it.each([
    ['none', []],
    ['9', [9]],
  ])('takes --checkpoint %s, and prints the file alone on standard output', async (checkpoint, heights) => {
    const { code, stdout, stderr } = await runCommand(['anchor-file', '--rpc', await node(), '--checkpoint', checkpoint])
    expect(code).toBe(0)
    expect(parseTrustAnchor(stdout).checkpoints.map(({ height }) => height)).toEqual(heights)
    expect(stderr).toContain(chain.hashes[0])
  })

  const gasUsed = 1n
  it.each<[string, Record<number, Header>, string[], number, string]>([
    ['a head that strangers sealed', { 20: sealedBy({ ...chain.headers[20]!, gasUsed }, MEMBERS.slice(0, 1)) }, ['--checkpoint', 'head'], 9, 'EVIDENCE_INVALID'],
    ['a head that retired validators sealed', { 20: sealedBy({ ...chain.headers[20]!, gasUsed }, MEMBERS.slice(0, 3)) }, ['--checkpoint', 'head'], 9, 'EVIDENCE_INVALID'],
    ['a change of validators that nobody sealed', { 12: { ...chain.headers[12]!, gasUsed } }, ['--checkpoint', 'head'], 9, 'EVIDENCE_INVALID'],
    ['a height that is not there yet', {}, ['--checkpoint', '21'], 2, 'CLI_USAGE'],
    ['a checkpoint that is none', {}, ['--checkpoint', 'tail'], 2, 'CLI_USAGE'],
    ['height 0', {}, ['--checkpoint', '0'], 2, 'CLI_USAGE'],
  ])('refuses %s', async (_, forged, words, code, error) => {
    const out = at('refused.json')
    const ended = await runCommand(['anchor-file', '--rpc', await node(forged), '--out', out, ...words])
    expect(ended).toMatchObject({ code, stdout: '' })
    expect([ended.error, ended.message].join(' ')).toContain(error)
    await expect(readFile(out)).rejects.toThrow('ENOENT')
  })

  it('takes what an honest set sealed: the same change of a header under the right seals', async () => {
    const other = sealedBy({ ...chain.headers[20]!, gasUsed }, setOf(20).slice(0, 3))
    expect(await runCommand(['anchor-file', '--rpc', await node({ 20: other }), '--checkpoint', 'head'])).toMatchObject({ code: 0 })
  })

  it('refuses a node of another chain than the data folder', async () => {
    await writeFile(at('genesis.json'), JSON.stringify({ ...GENESIS_JSON, timestamp: '0x6b49d201' }))
    const ended = await runCommand(['anchor-file', '--rpc', await node(), '--data', at('.')])
    expect(ended).toMatchObject({ code: 4, error: 'GENESIS_MISMATCH', stdout: '' })
    expect(ended.message).toContain(chain.hashes[0])
  })

  it('never overwrites, and says when nobody answers', async () => {
    await writeFile(at('there.json'), '{}')
    const ended = await runCommand(['anchor-file', '--rpc', await node(), '--out', at('there.json')])
    expect(ended).toMatchObject({ code: 2, error: 'CLI_FILE_EXISTS' })
    expect(await readFile(at('there.json'), 'utf8')).toBe('{}')
    expect(await runCommand(['anchor-file', '--rpc', 'http://127.0.0.1:1'])).toMatchObject({ code: 7, error: 'RPC_UNREACHABLE' })
  })
})
