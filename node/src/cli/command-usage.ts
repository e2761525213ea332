import { type Command, Option } from 'commander'
import type { UsageStatement } from '@songhua/sdk/governance/usage-statement'
import { privateKeyToAddress } from '@songhua/sdk/protocol/crypto'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { type CliContext, cliError, note, print } from './context.js'
import { readTextFile, writeNewFile } from './files.js'
import { exampleText, urlFlag } from './flags.js'
import { readAddresses } from './node-addresses.js'
import { loadNodeKey, loadOptions } from './node-config.js'
import { createProgress } from './progress.js'
import { type ApiKeyFlags, DEFAULT_RPC, type NodeAccess, addApiKeyFlag, readNodeAccess, readingNode } from './rpc-flags.js'
import { formatStatement, formatUsageVerdict } from './usage-text.js'

const TEXTS = {
  usage: { en: 'state what was used of the chain in a month, from its blocks: anybody gets the same bytes', zh: '由区块计算某月的用量清单；任何人计算所得字节相同' },
  month: { en: 'month of Beijing time, as 2026-11', zh: '月份（北京时间），如 2026-11' },
  organisation: { en: 'of this organisation only, by its unified social credit code', zh: '仅该机构（统一社会信用代码）' },
  out: { en: 'new file for the statement, canonical JSON', zh: '写入清单的新文件（规范化 JSON）' },
  sign: { en: 'vouch for it with the key of the node of --data', zh: '用 --data 所指节点的私钥签名出具' },
  data: { en: 'data folder of that node', zh: '该节点的数据目录' },
  password: { en: 'file whose first line is the password of its key (default: ask)', zh: '私钥口令文件，取第一行（默认询问）' },
  json: { en: 'print the statement itself, canonical JSON', zh: '输出清单本身（规范化 JSON）' },
  rpc: { en: 'JSON-RPC address of a node, which is believed: your own', zh: '节点 JSON-RPC 地址；其应答被采信，请使用自己的节点' },
  verify: { en: 'check a statement: form, sums and signature; with --rpc also who signed it and every figure', zh: '核验清单：格式、合计与签名；加 --rpc 时还核验出具节点与各项数字' },
  file: { en: 'statement', zh: '用量清单文件' },
  verifyJson: { en: 'print JSON', zh: '输出 JSON' },
  needMonth: { en: '--month: is missing; name a month of Beijing time, as 2026-11', zh: '--month：缺失；请指定月份（北京时间），如 2026-11' },
  needData: { en: '--sign: needs --data, the data folder of the node that vouches', zh: '--sign：还需要 --data（出具节点的数据目录）' },
  reading: { en: 'reading blocks', zh: '读取区块' },
} as const

interface Flags extends ApiKeyFlags {
  month?: string
  organisation?: string
  out?: string
  sign?: boolean
  data?: string
  keyPasswordFile?: string
  json?: boolean
  rpc?: string
}

export function addUsageCommand(program: Command, context: CliContext): void {
  const say = (key: keyof typeof TEXTS): string => TEXTS[key][context.language]
  const rpc = (): Option => new Option('--rpc <url>', say('rpc')).argParser(urlFlag(context, '--rpc'))
  const usage = addApiKeyFlag(program.command('usage'), context)
    .description(say('usage'))
    .option('--month <month>', say('month'))
    .option('--organisation <uscc>', say('organisation'))
    .option('--out <file>', say('out'))
    .option('--sign', say('sign'))
    .option('--data <folder>', say('data'))
    .option('--key-password-file <file>', say('password'))
    .option('--json', say('json'))
    .addOption(rpc().default(undefined, DEFAULT_RPC))
    .action((flags: Flags) => stateUsage(context, flags))
    .addHelpText(
      'after',
      exampleText(context, [
        ['songhua usage --month 2026-11 --out usage-2026-11.json', { en: 'everybody\'s use, as a table and as a file', zh: '全部用量：表格与文件' }],
        [
          'songhua usage --month 2026-11 --sign --data /var/lib/songhua --out usage-2026-11.json',
          { en: 'the same, vouched for by the node', zh: '同上，并由该节点签名出具' },
        ],
        ['songhua usage verify usage-2026-11.json --rpc http://127.0.0.1:8545', { en: 'reckons every figure anew', zh: '重新计算并核验各项数字' }],
      ]),
    )
  addApiKeyFlag(usage.command('verify'), context)
    .description(say('verify'))
    .argument('<file>', say('file'))
    .addOption(rpc())
    .option('--json', say('verifyJson'))
    // Commander gives a flag that both commands have to the upper one.
    .action((file: string, _flags: unknown, command: Command) => verifyUsage(context, file, command.optsWithGlobals<Flags>()))
}

async function stateUsage(context: CliContext, flags: Flags): Promise<void> {
  const { month, organisation, data, json, out } = flags
  if (month === undefined) throw new CodedError('CLI_USAGE', TEXTS.needMonth[context.language])
  if (flags.sign && data === undefined) throw new CodedError('CLI_USAGE', TEXTS.needData[context.language])
  const node = await readNodeAccess(context, { ...flags, rpc: flags.rpc ?? (await readAddresses(context, data)).rpc })
  // Loaded when asked for: ethers takes a third of a second, and every command would wait for it.
  const { readUsageStatement, usageStatementText } = await import('@songhua/sdk/governance/usage-statement')
  const progress = createProgress(context, TEXTS.reading[context.language])
  const question = { month, onProgress: (done: number, total: number) => progress.show(done, total), ...(organisation !== undefined && { organisation }) }
  const reckoned = await readingNode(context, readUsageStatement(question, node)).finally(() => progress.end())
  const statement = flags.sign && data !== undefined ? await signByNode(context, reckoned, { ...flags, data, node }) : reckoned
  const text = `${usageStatementText(statement)}\n`
  if (out !== undefined) await writeNewFile(context, { what: 'outFile', path: out, text })
  // The bytes themselves, of which a digest may be taken; not as a terminal would see them.
  if (json) context.stdout.write(text)
  else print(context, formatStatement(context, statement))
}

async function signByNode(
  context: CliContext,
  statement: UsageStatement,
  { data, keyPasswordFile, node }: { data: string; keyPasswordFile?: string; node: NodeAccess },
): Promise<UsageStatement> {
  const { readUsageSigner, signUsageStatement } = await import('@songhua/sdk/governance/usage-statement')
  const options = await loadOptions(context, data, keyPasswordFile === undefined ? {} : { 'nodeKey.passwordFile': keyPasswordFile })
  const key = await loadNodeKey(context, options, statement.chain.chainId)
  return signUsageStatement(statement, await readingNode(context, readUsageSigner(privateKeyToAddress(key), node)), key)
}

async function verifyUsage(context: CliContext, file: string, { rpc, json, ...key }: Pick<Flags, 'rpc' | 'json' | 'apiKeyFile'>): Promise<void> {
  const { verifyUsageStatement } = await import('@songhua/sdk/governance/usage-verdict')
  const text = await readTextFile(context, 'usageFile', file)
  const progress = createProgress(context, TEXTS.reading[context.language])
  const node = rpc === undefined ? undefined : await readNodeAccess(context, { rpc, ...key })
  const options = node && { node, onProgress: (done: number, total: number) => progress.show(done, total) }
  const verdict = await readingNode(context, verifyUsageStatement(text, options)).finally(() => progress.end())
  if (json) print(context, JSON.stringify({ isSound: verdict.isSound, steps: verdict.steps }))
  else {
    if (verdict.isSound && verdict.statement !== undefined) note(context, formatStatement(context, verdict.statement))
    print(context, formatUsageVerdict(context, verdict))
  }
  if (!verdict.isSound) throw cliError(context, 'USAGE_STATEMENT_INVALID', ['usageUnsound'])
}
