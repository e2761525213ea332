import type { UsageFigures, UsageShare, UsageStatement } from '@songhua/sdk/governance/usage-statement'
import type { UsageStep, UsageVerdict } from '@songhua/sdk/governance/usage-verdict'
import type { CliContext } from './context.js'
import type { Language } from './messages.js'
import { formatFields, formatTable } from './table.js'
import { USAGE_PHRASES, phraseOf } from './titles/phrases.js'

const TEXTS = {
  month: { en: 'month (Beijing time)', zh: '月份（北京时间）' },
  chain: { en: 'chain', zh: '链' },
  blocks: { en: 'blocks', zh: '区块' },
  notOver: { en: 'the month is not over: these are its blocks so far', zh: '本月尚未结束：以下为截至目前的区块' },
  signer: { en: 'vouched for by', zh: '出具节点' },
  who: { en: 'organisation', zh: '机构' },
  to: { en: 'application', zh: '应用（目标地址）' },
  creations: { en: 'creation of contracts', zh: '创建合约' },
  newcomers: { en: 'accounts of no organisation', zh: '未绑定机构的账户' },
  total: { en: 'total', zh: '合计' },
  accounts: { en: 'accounts', zh: '账户数' },
  transactions: { en: 'transactions', zh: '交易数' },
  failed: { en: 'failed', zh: '失败' },
  gas: { en: 'gas', zh: 'Gas' },
  bytes: { en: 'bytes', zh: '字节' },
  government: { en: 'government records', zh: '政务记录' },
  trace: { en: 'trace records', zh: '溯源记录' },
  credit: { en: 'credit records', zh: '征信记录' },
  sound: { en: 'SOUND: nothing is wrong with what could be checked', zh: '有效：可核验的部分均无误' },
  unsound: { en: 'NOT SOUND', zh: '无效' },
} as const

const STEPS: Readonly<Record<UsageStep, Readonly<Record<Language, string>>>> = {
  form: { en: 'the file has the form songhua.usage-statement/1', zh: '文件格式为 songhua.usage-statement/1' },
  sums: { en: 'every total is the sum of its parts', zh: '各项合计等于分项之和' },
  signature: { en: 'the signature is by the key of the node that it names', zh: '签名由所列节点的私钥作出' },
  chain: { en: 'the node asked is of the same chain', zh: '所查询节点属于同一条链' },
  signer: { en: 'the register had that node with these bodies', zh: '登记合约中该节点及其责任单位与此一致' },
  figures: { en: 'every figure, reckoned anew from the blocks', zh: '由区块重新计算的各项数字一致' },
}
const MARKS = { ok: '✓', wrong: '✗', unchecked: '–' } as const

const FIGURES = ['transactions', 'failed', 'gas', 'bytes'] as const
const FAMILIES = ['government', 'trace', 'credit'] as const

const cellsOf = (figures: UsageFigures): string[] =>
  [...FIGURES.map((name) => figures[name]), ...FAMILIES.map((family) => figures.records[family])].map((count) => count.toLocaleString('en-US'))

export function formatStatement({ language }: CliContext, statement: UsageStatement): string {
  const say = (key: keyof typeof TEXTS): string => TEXTS[key][language]
  const { month, chain, blocks, organisations, newcomers, total, applications, creations, signer } = statement
  const { first, last, isMonthOver } = blocks
  const heading = formatFields([
    [say('month'), month],
    [say('chain'), `${chain.chainId} ${chain.genesisHash}`],
    [say('blocks'), `${first.number} ${first.hash}`],
    ['', `${last.number} ${last.hash}`],
    ...(signer === undefined ? [] : [[say('signer'), signer.address] as const]),
  ])
  const share = (name: string, { accounts, total: used }: UsageShare): string[] => [name, String(accounts.length), ...cellsOf(used)]
  const counted = [...FIGURES, ...FAMILIES].map(say)
  const byWhom = formatTable([say('who'), say('accounts'), ...counted], [
    ...organisations.map((one) => share(`${language === 'zh' ? one.nameZh : one.nameEn} ${one.uscc}`, one)),
    ...(newcomers === undefined ? [] : [share(say('newcomers'), newcomers)]),
    [say('total'), '', ...cellsOf(total)],
  ])
  const byWhat = formatTable([say('to'), ...counted], [
    ...applications.map(({ to, ...figures }) => [to, ...cellsOf(figures)]),
    [say('creations'), ...cellsOf(creations)],
    [say('total'), ...cellsOf(total)],
  ])
  return [heading, ...(isMonthOver ? [] : [say('notOver')]), byWhom, byWhat].join('\n\n')
}

/** Fields at fault are told in English alone. */
const reasonText = (reason: string, language: Language): string =>
  language === 'zh' ? `（${phraseOf(USAGE_PHRASES, reason) ?? reason}）` : ` (${reason})`

export function formatUsageVerdict({ language }: CliContext, { isSound, steps }: UsageVerdict): string {
  const lines = steps.map(({ step, outcome, reason }) => `  ${MARKS[outcome]} ${STEPS[step][language]}${reason === undefined ? '' : reasonText(reason, language)}`)
  return [...lines, TEXTS[isSound ? 'sound' : 'unsound'][language]].join('\n')
}
