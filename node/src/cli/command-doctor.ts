import type { Command } from 'commander'
import { diagnose, isUnwell } from '../app/diagnose.js'
import type { DoctorFacts } from '../app/doctor-facts.js'
import type { Finding, Severity } from '../app/finding.js'
import { type CliContext, cliError, note, print } from './context.js'
import { gatherFacts } from './doctor-probes.js'
import { explainFinding } from './finding-texts.js'
import { exampleText, urlFlag } from './flags.js'

const TEXTS = {
  doctor: {
    en: 'say why a node is not advancing, running or stopped, and what to do',
    zh: '诊断节点（运行中或已停止）为何不推进，并给出处理办法',
  },
  data: { en: 'data folder of the node, on this machine', zh: '本机上的节点数据目录' },
  admin: {
    en: 'admin address of the node, when it was started with another one than its configuration has',
    zh: '节点的管理地址（启动时使用了与配置不同的地址时）',
  },
  deep: {
    en: 'of a stopped node, read and check every file and every block',
    zh: '对已停止的节点，读取并校验全部文件与区块',
  },
  json: { en: 'print JSON', zh: '输出 JSON' },
} as const

const MARKS: Readonly<Record<Severity, string>> = { error: '✗', warning: '!', info: '✓' }

interface Flags {
  data: string
  admin?: string
  deep?: boolean
  json?: boolean
}

export function addDoctorCommand(program: Command, context: CliContext): void {
  const say = (key: keyof typeof TEXTS): string => TEXTS[key][context.language]
  program
    .command('doctor')
    .description(say('doctor'))
    .requiredOption('--data <folder>', say('data'))
    .option('--admin <url>', say('admin'), urlFlag(context, '--admin'))
    .option('--deep', say('deep'))
    .option('--json', say('json'))
    .action((flags: Flags) => doctor(context, flags))
    .addHelpText(
      'after',
      exampleText(context, [
        ['songhua doctor --data /var/lib/songhua', { en: 'ends with 10 when something is wrong', zh: '发现问题时退出码为 10' }],
        [
          'songhua doctor --data /var/lib/songhua --deep',
          { en: 'after a crash or a failing disk, while the node is stopped', zh: '崩溃或磁盘故障之后，节点停止时运行' },
        ],
      ]),
    )
}

async function doctor(context: CliContext, { data, admin, deep, json }: Flags): Promise<void> {
  const facts = await gatherFacts(context, { data, admin, deep })
  // What to do is printed as it can be run.
  const findings = diagnose(facts).map((found) => ({ ...found, values: { data, ...found.values } }))
  print(context, json ? toJson(context, facts, findings) : toText(context, findings))
  // Its files change under the eye: what of them is damaged, the scrub of the node itself looks for.
  if (deep && facts.node.state !== 'stopped') note(context, context.t('doctorDeepRunning'))
  if (!isUnwell(findings)) return
  const unwell = findings.filter(({ severity }) => severity !== 'info').map(({ code }) => code)
  throw cliError(context, 'NODE_UNWELL', ['doctorUnwell', { count: unwell.length, codes: unwell.join(', ') }])
}

function toJson({ language }: CliContext, { node }: DoctorFacts, findings: readonly Finding[]): string {
  const told = findings.map((finding) => ({ ...finding, ...explainFinding(finding, language) }))
  return JSON.stringify({ node: node.state, findings: told })
}

function toText(context: CliContext, findings: readonly Finding[]): string {
  if (findings.length === 0) return `${MARKS.info} ${context.t('doctorNothing')}`
  return findings.map((finding) => paragraph(context, finding)).join('\n\n')
}

function paragraph(context: CliContext, finding: Finding): string {
  const { what, why, todo } = explainFinding(finding, context.language)
  const lines = [`${MARKS[finding.severity]} ${what}  [${finding.code}]`, `  ${why}`]
  return [...lines, ...(finding.severity === 'info' ? [] : [`  → ${todo}`])].join('\n')
}
