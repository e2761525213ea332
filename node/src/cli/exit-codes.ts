import { CommanderError } from 'commander'
import { isCodedError } from '@songhua/sdk/protocol/errors'

/** What the process ends with. Scripts may rely on these numbers; they are shown by `songhua --help`. */
export const EXIT_CODES = {
  ok: { code: 0, en: 'done', zh: '成功' },
  failure: { code: 1, en: 'failed while running', zh: '运行失败' },
  usage: { code: 2, en: 'wrong flag, option, file or field', zh: '参数、配置或文件有误' },
  dataFolder: { code: 3, en: 'data folder in use, or of a newer version', zh: '数据目录被占用，或由更新的版本写成' },
  genesis: { code: 4, en: 'data folder or backup belongs to another chain', zh: '数据目录或备份属于另一条链' },
  password: { code: 5, en: 'wrong password for the key', zh: '私钥口令错误' },
  portInUse: { code: 6, en: 'a port is in use or cannot be listened on', zh: '端口被占用或无法监听' },
  unreachable: { code: 7, en: 'the node asked does not answer', zh: '节点无应答' },
  upgrade: { code: 8, en: 'the chain needs a newer version of this program', zh: '链需要更新版本的程序' },
  evidence: { code: 9, en: 'evidence does not prove its record, or a usage statement is not sound', zh: '证据或用量清单未通过核验' },
  unwell: { code: 10, en: 'doctor: something is wrong with the node; repair: something is damaged', zh: 'doctor：节点存在问题；repair：存在损坏' },
  refused: { code: 11, en: 'the chain’s rules refuse it: a right, a vote or a quota is missing', zh: '链上规则不允许：缺少权限、票数或配额' },
  forced: { code: 130, en: 'stopped at once by a second signal', zh: '第二次信号强制退出' },
} as const

export type ExitName = keyof typeof EXIT_CODES

/** Codes of errors by the exit they lead to; a code that is not here is a failure. Prefixes end in `_`. */
const EXITS: Partial<Record<ExitName, readonly string[]>> = {
  // Neither a flag nor the backup is at fault: the disk, or the moment.
  failure: ['BACKUP_IO', 'BACKUP_AHEAD'],
  usage: [
    'CLI_',
    'TRUST_ANCHOR_',
    'OPTION_INVALID',
    'RECORD_INVALID',
    'CONFIG_',
    'KEYSTORE_FIELD',
    'JSON_',
    'GENESIS_',
    'MEMBERSHIP_',
    'HEX_',
    'BYTES_',
    'ADDRESS_INVALID',
    'API_KEY_',
    'API_KEYS_',
    'APPLICATION_',
    'BACKUP_',
    'RESTORE_',
    'STORE_NOT_INITIALISED',
  ],
  dataFolder: [
    'STORE_IN_USE',
    'STORE_NEWER_SCHEMA',
    'STORE_OLDER_SCHEMA',
    'STORE_FOREIGN',
    'CONSENSUS_LOG_NEWER_VERSION',
    'JOURNAL_FOREIGN',
    'DEVNET_RUNNING',
    'REPAIR_REFUSED',
  ],
  genesis: ['STORE_GENESIS_MISMATCH', 'GENESIS_MISMATCH', 'RESTORE_OTHER_CHAIN', 'BACKUP_OTHER_CHAIN'],
  password: ['KEYSTORE_PASSWORD'],
  portInUse: ['PORT_IN_USE', 'RPC_LISTEN_FAILED', 'LISTEN_FAILED'],
  unreachable: ['RPC_UNREACHABLE', 'GATEWAY_UNREACHABLE'],
  upgrade: ['CHAIN_PROTOCOL_VERSION'],
  evidence: ['EVIDENCE_INVALID', 'USAGE_STATEMENT_INVALID'],
  unwell: ['NODE_UNWELL'],
  refused: ['GOVERNANCE_REFUSED', 'PERMISSION_', 'QUOTA_'],
}

/** @returns the number to end the process with */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok.code : EXIT_CODES.usage.code
  const code = codeOf(error)
  if (code === undefined) return EXIT_CODES.failure.code
  // A devnet ends as the node that brought it down did.
  if (isCodedError(error) && typeof error.details.exitCode === 'number') return error.details.exitCode
  const rules = Object.entries(EXITS).flatMap(([name, codes]) =>
    codes.map((rule) => ({ name: name as ExitName, rule })),
  )
  const exact = rules.find(({ rule }) => rule === code)
  const byPrefix = rules.find(({ rule }) => rule.endsWith('_') && code.startsWith(rule))
  return EXIT_CODES[(exact ?? byPrefix)?.name ?? 'failure'].code
}

export function codeOf(error: unknown): string | undefined {
  if (isCodedError(error)) return error.code
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}
