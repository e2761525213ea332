import type { GenesisErrorCode } from '@songhua/sdk/protocol/genesis'
import type { JsonFieldErrorCode } from '@songhua/sdk/protocol/json-fields'
import type { TrustAnchorErrorCode } from '@songhua/sdk/protocol/trust-anchor'
import type { ManifestErrorCode } from '../../app/backup-manifest.js'
import type { ChainBackupErrorCode } from '../../app/chain-backup.js'
import type { GatewayBackupErrorCode } from '../../app/gateway-backup.js'
import type { GatewayRestoreErrorCode } from '../../app/gateway-restore.js'
import type { ManifestFileErrorCode } from '../../app/manifest-file.js'
import type { OptionErrorCode } from '../../app/options.js'
import type { RemoteErrorCode } from '../../base/remote.js'
import type { ApiKeyErrorCode } from '../../gateway/api-keys.js'
import type { ArchiveErrorCode } from '../../gateway/archive.js'
import type { PairErrorCode } from '../../gateway/check-backup.js'
import type { RestoreErrorCode } from '../../gateway/restore.js'
import type { GatewayStoreErrorCode } from '../../gateway/store.js'
import type { SignerErrorCode } from '../../signer/errors.js'
import type { KeyRingErrorCode } from '../../storage/key-ring-file.js'
import type { CliErrorCode } from '../context.js'

/** Chinese titles of the errors of this machine: its files, its configuration, its disk. */

type LocalCode =
  | GenesisErrorCode | JsonFieldErrorCode | TrustAnchorErrorCode | OptionErrorCode | CliErrorCode | ApiKeyErrorCode
  | ManifestErrorCode | ChainBackupErrorCode | GatewayBackupErrorCode | GatewayRestoreErrorCode | ManifestFileErrorCode
  | ArchiveErrorCode | PairErrorCode | RestoreErrorCode | GatewayStoreErrorCode | KeyRingErrorCode | SignerErrorCode | RemoteErrorCode

const TYPED: Readonly<Record<LocalCode, string>> = {
  GENESIS_TOO_LARGE: '创世文件过大',
  GENESIS_NOT_JSON: '创世文件不是合法 JSON',
  GENESIS_CONSTANT: '创世文件中的固定字段取值有误',
  GENESIS_EXTRA_DATA: '创世文件的 extraData 有误',
  GENESIS_VANITY: '创世文件的 extraData 前缀有误',
  JSON_TYPE: '文件中字段的类型有误',
  JSON_UNKNOWN_KEY: '文件中有未知字段',
  JSON_MISSING: '文件缺少必填字段',
  JSON_RANGE: '文件中字段的取值超出范围',
  JSON_DUPLICATE: '文件中的项目重复',
  TRUST_ANCHOR_FORMAT: '信任锚文件格式有误',
  TRUST_ANCHOR_VERSION: '信任锚文件的版本不受支持',
  TRUST_ANCHOR_GENESIS: '信任锚的创世区块有误',
  TRUST_ANCHOR_CHECKPOINT: '信任锚的检查点有误',
  CONFIG_UNKNOWN_OPTION: '配置中有未知选项',
  CONFIG_BAD_VALUE: '配置选项取值有误',
  CONFIG_NOT_AN_OBJECT: '配置文件应为一个 JSON 对象',

  CLI_USAGE: '命令用法有误',
  CLI_FILE: '文件无法使用',
  CLI_FILE_EXISTS: '文件已存在',
  CLI_JSON: '文件不是合法 JSON',
  CLI_DATA_FOLDER: '数据目录无法使用',
  CLI_KEY: '私钥有误',
  CLI_CRASH_POINT: '崩溃点有误',
  KEYSTORE_FIELD: '私钥文件的字段有误',
  KEYSTORE_PASSWORD: '私钥口令错误',
  PORT_IN_USE: '端口被占用',
  DEVNET_RUNNING: '开发网已在运行',
  DEVNET_CHILD_DIED: '开发网的节点意外结束',
  DEVNET_TIMEOUT: '开发网未能及时启动',
  DEVNET_FORKED: '开发网各节点的区块不一致',
  DEMO_NOT_ANCHORED: '示例记录未能上链',
  RPC_UNREACHABLE: '节点无应答',
  RPC_ERROR: '节点返回错误',
  EVIDENCE_INVALID: '证据未通过核验',
  USAGE_STATEMENT_INVALID: '用量清单未通过核验',
  KEYS_DAMAGED: '载荷密钥已损坏',
  GATEWAY_DOWN: '网关已停止',
  NODE_UNWELL: '节点存在问题',
  REPAIR_REFUSED: '无法修复',

  API_KEY_NAME: 'API 密钥的名称有误',
  API_KEY_ISSUER: 'API 密钥的签发方有误',
  API_KEY_SCOPE: 'API 密钥的权限有误',
  API_KEY_ACCOUNT: 'API 密钥的账户有误',
  API_KEY_UNKNOWN: '没有这个 API 密钥',
  API_KEYS_TOO_MANY: 'API 密钥数量已达上限',
  API_KEYS_FORMAT: 'API 密钥文件格式有误',

  BACKUP_FOLDERS_SWAPPED: '记录备份与密钥备份的目录颠倒',
  BACKUP_FOLDERS_SAME: '记录备份与密钥备份不得在同一目录',
  BACKUP_FOLDER_NOT_EMPTY: '备份目录非空，且其中不是本程序的备份',
  BACKUP_OTHER_CHAIN: '备份目录属于另一条链',
  BACKUP_AHEAD: '备份比节点更新',
  BACKUP_INCOMPLETE: '备份不完整',
  BACKUP_FOREIGN: '不是本程序的备份',
  BACKUP_NEWER: '备份由更新版本的程序写成',
  BACKUP_DAMAGED: '备份已损坏',
  RESTORE_OTHER_CHAIN: '备份属于另一条链',
  RESTORE_OTHER_KEYS: '密钥备份与记录备份不匹配',
  RESTORE_NO_KEYS: '节点没有可沿用的载荷密钥',
  RESTORE_KEYS_OLDER: '密钥备份早于记录备份',
  RESTORE_TARGET_NOT_EMPTY: '恢复的目标目录非空',
  GATEWAY_STORE_MISSING: '网关数据库缺失',
  GATEWAY_STORE_NEWER: '网关数据库由更新版本的程序写成',
  GATEWAY_STORE_FOREIGN: '不是网关数据库',
  GATEWAY_STORE_OTHER_CHAIN: '网关数据库属于另一条链',
  GATEWAY_SECRET_MISMATCH: '网关主密钥与网关数据库不匹配',
  KEY_RING_FOREIGN: '不是载荷密钥文件',
  KEY_RING_NEWER: '载荷密钥文件由更新版本的程序写成',
  KEY_RING_DAMAGED: '载荷密钥文件已损坏',
  KEY_RING_SLOT: '载荷密钥文件中没有该槽',
  KEY_RING_FULL: '载荷密钥文件已满',
  KEY_RING_IO: '载荷密钥文件读写失败',
  SIGNER_SILENT: '验证者正保持静默',
  SIGNER_REGRESSION: '拒绝签名：高度或轮次倒退',
  SIGNER_CONFLICT: '拒绝签名：与已签内容矛盾',
  SIGNER_NOT_PERSISTED: '拒绝签名：未能落盘',
  SIGNER_LOG_UNREADABLE: '共识日志无法读取',
  SIGNER_JOURNAL: '共识日志写入失败',
  REMOTE_FAILED: '子进程内部出错',
  REMOTE_CLOSED: '与子进程的连接已断开',
}

const OTHERS: Readonly<Record<string, string>> = {
  CLI_FIELD: '字段有误',
  APPLICATION_INVALID: '申请无效',
  GENESIS_SYSTEM_CONTRACT_MISSING: '创世文件缺少系统合约',
  STORE_DAMAGED: '链数据库已损坏',
  STORE_INCONSISTENT: '链数据库前后不一致',
  STORE_IN_USE: '数据目录正被另一进程使用',
  STORE_FOREIGN: '该目录不是本程序的链数据库',
  STORE_GENESIS_MISMATCH: '链数据库属于另一条链',
  STORE_NEWER_SCHEMA: '链数据库由更新版本的程序写成',
  STORE_OLDER_SCHEMA: '链数据库由过旧版本的程序写成',
  STORE_NOT_INITIALISED: '链数据库尚未初始化',
  STORE_OPEN_FAILED: '链数据库无法打开',
  STORE_WRITE_FAILED: '链数据库写入失败',
  STORE_COMMIT_ORDER: '区块写入顺序有误',
  LEVEL_MANIFEST_UNREADABLE: '数据库清单无法读取',
  LEVEL_LOCKED: '数据库正被另一进程使用',
  LEVEL_IO_ERROR: '数据库读写失败',
  LEVEL_CORRUPTION: '数据库已损坏',
  BACKUP_IO: '备份读写失败',
  REPAIR_IO: '修复时读写失败',
  RESTORE_FOLDER_NOT_EMPTY: '恢复的目标目录非空',
  JOURNAL_FOREIGN: '不是交易日志文件',
  JOURNAL_IO: '交易日志读写失败',
  JOURNAL_FULL: '交易日志已满',
  JOURNAL_RECORD_SIZE: '交易日志中的记录长度有误',
  POOL_JOURNAL_VERSION: '交易日志由其他版本的程序写成',
  POOL_JOURNAL_FAILED: '交易日志写入失败',
  CONSENSUS_LOG_IO: '共识日志读写失败',
  CONSENSUS_LOG_FULL: '共识日志已满',
  CONSENSUS_LOG_NEWER_VERSION: '共识日志由更新版本的程序写成',
  CONSENSUS_LOG_NOT_STARTED: '共识日志尚未开始写入',
  CONSENSUS_LOG_RECORD_TOO_LARGE: '共识日志的记录过大',
  GATEWAY_STORE_DAMAGED: '网关数据库已损坏',
  GATEWAY_RESTORE_UNFINISHED: '网关恢复未完成',
  GATEWAY_SECRET_DAMAGED: '网关主密钥文件已损坏',
  GATEWAY_SECRET_MISSING: '网关主密钥文件缺失',
  GATEWAY_SCHEMA: '网关的模式文件有误',
  KEY_RING_INCOMPLETE: '载荷密钥文件不完整',
  PAYLOAD_UNREADABLE: '载荷无法解密',
  RIGHTS: '无权读取',
  ASSERTION_FAILED: '程序内部断言失败',

  EACCES: '无权访问文件',
  EPERM: '操作不被允许',
  ENOENT: '文件不存在',
  EEXIST: '文件已存在',
  EISDIR: '是目录而不是文件',
  ENOTDIR: '是文件而不是目录',
  ENOSPC: '磁盘空间不足',
  EDQUOT: '磁盘配额不足',
  EROFS: '磁盘为只读',
  EIO: '磁盘读写错误',
  EMFILE: '打开的文件过多',
  ENFILE: '系统打开的文件过多',
  EADDRINUSE: '端口被占用',
  EADDRNOTAVAIL: '本机没有该地址',
  ECONNREFUSED: '连接被拒绝',
  ECONNRESET: '连接被重置',
  ETIMEDOUT: '连接超时',
  ENOTFOUND: '主机名无法解析',
}

export const LOCAL_TITLES: Readonly<Record<string, string>> = { ...TYPED, ...OTHERS }
