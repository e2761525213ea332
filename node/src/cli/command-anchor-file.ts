import type { Command } from 'commander'
import { type ChainReader, createChainReader } from '@songhua/sdk/chain/chain-reader'
import { createChainProver } from '@songhua/sdk/chain/chain-prover'
import { createRpcClient } from '@songhua/sdk/chain/rpc-client'
import { CodedError, isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { type Checkpoint, type TrustAnchor, parseTrustAnchor, trustAnchorToJson } from '@songhua/sdk/protocol/trust-anchor'
import { readAnswer } from '@songhua/sdk/chain/block-json'
import { type CliContext, note, print } from './context.js'
import { codeOf } from './exit-codes.js'
import { writeNewFile } from './files.js'
import { exampleText } from './flags.js'
import { type RpcFlags, addRpcFlag, readNodeAccess, readingNode } from './rpc-flags.js'
import { formatFields } from './table.js'
import { titledMessage } from './titles/error-text.js'
import { findTrustAnchor } from './trust-anchor-source.js'

const TEXTS = {
  anchorFile: { en: 'export what courts need to verify evidence: the trust anchor', zh: '导出法院核验证据所需的信任锚' },
  data: { en: 'data folder whose genesis the node must have', zh: '数据目录；节点的创世区块须与之一致' },
  checkpoint: {
    en:
      'block to vouch for: none, head, or a height; its seals are checked from the genesis on. Evidence of earlier blocks '
      + 'must then be proved under it: GET /v1/records/ID/evidence?under=HEIGHT',
    zh: '检查点区块：none（无）、head（最新）或高度；自创世起逐级核验签封。更早区块的证据须按该高度重新取得：GET /v1/records/ID/evidence?under=高度',
  },
  out: { en: 'new file to write (default: print)', zh: '写入的新文件（默认输出到屏幕）' },
  badCheckpoint: {
    en: '--checkpoint: must be head, none or a height from 1 on, not {value}',
    zh: '--checkpoint：应为 head、none 或不小于 1 的高度，而非 {value}',
  },
  beyond: { en: '--checkpoint: the chain is at block {head} and has no block {height} yet', zh: '--checkpoint：链高度为 {head}，尚无区块 {height}' },
  unvouched: {
    en: 'block {height} is no checkpoint: its seals do not follow from the genesis. {reason}',
    zh: '区块 {height} 不能作为检查点：其签封不能由创世区块推出。{reason}',
  },
  otherChain: {
    en: '{rpc} has genesis {actual}; the data folder has {expected}. It is a node of another chain',
    zh: '{rpc} 的创世区块为 {actual}，数据目录为 {expected}，该节点属于另一条链',
  },
  chain: { en: 'chain', zh: '链' },
  genesis: { en: 'genesis', zh: '创世区块' },
  point: { en: 'checkpoint', zh: '检查点' },
  compare: {
    en: 'Compare these with the operators’ by another way (print, telephone, a notice) before anybody relies on the file.',
    zh: '在依据该文件之前，请通过其他渠道（书面、电话、公告）与运营方核对以上内容。',
  },
} as const

interface Flags extends RpcFlags {
  data?: string
  checkpoint: string
  out?: string
}

export function addAnchorFileCommand(program: Command, context: CliContext): void {
  const say = (key: keyof typeof TEXTS): string => TEXTS[key][context.language]
  addRpcFlag(program.command('anchor-file').description(say('anchorFile')), context)
    .option('--data <folder>', say('data'))
    .option('--checkpoint <block>', say('checkpoint'), 'none')
    .option('--out <file>', say('out'))
    .action((flags: Flags) => readingNode(context, exportTrustAnchor(context, flags)))
    .addHelpText(
      'after',
      exampleText(context, [
        [
          'songhua anchor-file --data /var/lib/songhua --out songhua-230000.json',
          { en: 'the genesis: serves evidence of every age', zh: '仅含创世块：适用于任何时间的证据' },
        ],
        [
          'songhua anchor-file --data /var/lib/songhua --checkpoint head --out songhua-230000-2026.json',
          { en: 'vouches for the newest block too, against keys that retire', zh: '并以最新区块为检查点，防范退役密钥伪造' },
        ],
      ]),
    )
}

async function exportTrustAnchor(context: CliContext, flags: Flags): Promise<void> {
  const wanted = readCheckpointFlag(context, flags.checkpoint)
  const { rpc: url, ...access } = await readNodeAccess(context, flags)
  const rpc = createRpcClient({ url, ...access })
  const reader = createChainReader(rpc)
  const trustAnchor = await answeredAnchor(rpc, reader)
  if (flags.data !== undefined) await checkGenesis(context, flags, trustAnchor)
  const height = wanted === 'head' ? await reader.head() : wanted
  const checkpoints = height === 0 ? [] : [await vouchedCheckpoint(context, { reader, trustAnchor, height })]
  const text = `${JSON.stringify(trustAnchorToJson({ ...trustAnchor, checkpoints }), undefined, 2)}\n`
  if (flags.out === undefined) context.stdout.write(text)
  else await writeNewFile(context, { what: 'trustAnchorFile', path: flags.out, text })
  report(context, { trustAnchor, checkpoints, isPrinted: flags.out === undefined })
}

/** `none` is height 0: the genesis, which is in the file anyway. */
function readCheckpointFlag({ language }: CliContext, text: string): number | 'head' {
  if (text === 'head') return 'head'
  if (text === 'none') return 0
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new CodedError('CLI_USAGE', TEXTS.badCheckpoint[language].replace('{value}', JSON.stringify(text)))
}

async function answeredAnchor(rpc: ReturnType<typeof createRpcClient>, reader: ChainReader): Promise<TrustAnchor> {
  const answer = await rpc.call('eth_chainId', [])
  const genesisHeader = await reader.header(0)
  return readAnswer('eth_getBlockByNumber', () =>
    parseTrustAnchor(trustAnchorToJson({ chainId: Number(answer), genesisHeader, checkpoints: [] })),
  )
}

/** The folder's genesis was given to the node by its operators; the answer came over a network. */
async function checkGenesis(context: CliContext, flags: Flags, answered: TrustAnchor): Promise<void> {
  const { trustAnchor } = await findTrustAnchor(context, { data: flags.data ?? '.' })
  if (trustAnchor.genesisHash === answered.genesisHash && trustAnchor.chainId === answered.chainId) return
  const message = TEXTS.otherChain[context.language]
    .replace('{rpc}', flags.rpc)
    .replace('{actual}', `${answered.genesisHash} (${answered.chainId})`)
    .replace('{expected}', `${trustAnchor.genesisHash} (${trustAnchor.chainId})`)
  throw new CodedError('GENESIS_MISMATCH', message)
}

/** Sealed by a quorum of the validators that follow from the genesis: the node is not believed. */
async function vouchedCheckpoint(
  { language }: CliContext,
  chain: { reader: ChainReader; trustAnchor: TrustAnchor; height: number },
): Promise<Checkpoint> {
  const { reader, trustAnchor, height } = chain
  const head = await reader.head()
  if (height > head) {
    const message = TEXTS.beyond[language].replace('{head}', String(head)).replace('{height}', String(height))
    throw new CodedError('CLI_USAGE', message)
  }
  try {
    return await createChainProver(reader, trustAnchor).checkpoint(height)
  } catch (error) {
    if (isCodedError(error) && error.code.startsWith('RPC_')) throw error
    const message = TEXTS.unvouched[language].replace('{height}', String(height)).replace('{reason}', titledMessage(language, codeOf(error), messageOf(error)))
    throw new CodedError('EVIDENCE_INVALID', message, { cause: error })
  }
}

interface Exported {
  trustAnchor: TrustAnchor
  checkpoints: readonly Checkpoint[]
  isPrinted: boolean
}

/** On standard error when the file itself goes to standard output. */
function report(context: CliContext, { trustAnchor, checkpoints, isPrinted }: Exported): void {
  const { language } = context
  const fields = formatFields([
    [TEXTS.chain[language], String(trustAnchor.chainId)],
    [TEXTS.genesis[language], trustAnchor.genesisHash],
    ...checkpoints.map(({ height, hash }) => [TEXTS.point[language], `${height} ${hash}`] as [string, string]),
  ])
  const say = isPrinted ? note : print
  say(context, `${fields}\n${TEXTS.compare[language]}`)
}
