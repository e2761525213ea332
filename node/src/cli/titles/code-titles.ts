import { EVIDENCE_CODES } from '@songhua/sdk/protocol/evidence-codes'
import { LOCAL_TITLES } from './local-titles.js'
import { REMOTE_TITLES } from './remote-titles.js'

/** Of the inner parts, whose codes people rarely see: one title for each family. */
const FAMILY_TITLES: readonly (readonly [prefix: string, zh: string])[] = [
  ['ASSEMBLY_', '无法组成证据'],
  ['BLOCK_', '区块有误'],
  ['BYTES_', '字节长度有误'],
  ['CANONICAL_JSON', '无法写成规范化 JSON'],
  ['CHECKPOINT_', '检查点有误'],
  ['CONSENSUS_', '共识消息无效'],
  ['DIGEST_', '摘要有误'],
  ['ENVELOPE_', '信封有误'],
  ['EXTRA_DATA_', '区块头的 extraData 有误'],
  ['HEADER_', '区块头有误'],
  ['HEX_', '十六进制有误'],
  ['INTEGER_', '整数超出范围'],
  ['MPT_PROOF_', '状态证明有误'],
  ['ORDERED_TRIE_', '有序树有误'],
  ['PAYLOAD_', '载荷有误'],
  ['PROPOSER_', '区块的提议者有误'],
  ['PUBLIC_KEY_', '公钥无效'],
  ['RECEIPT_', '收据有误'],
  ['RECORD_', '记录有误'],
  ['REFRESH_', '证据无法更新'],
  ['RLP_', 'RLP 编码有误'],
  ['SCHEMA_', '模式有误'],
  ['SEAL_', '签封有误'],
  ['SEALS_', '签封有误'],
  ['SIGNATURE_', '签名有误'],
  ['STATE_DIFF_', '状态变更有误'],
  ['SUBJECT_', '主体标识有误'],
  ['SYNC_', '同步出错'],
  ['TRANSACTIONS_', '收到的交易有误'],
  ['TREE_', '默克尔树有误'],
  ['TRIE_', '状态树有误'],
  ['TX_', '交易有误'],
  ['VALIDATOR_HISTORY_', '验证者历史有误'],
  ['VALIDATORS_', '验证者集合有误'],
]

/** What an error is, in a few Chinese words; undefined for a code that is not of this project. */
export function titleOf(code: string): string | undefined {
  const table = Object.hasOwn(LOCAL_TITLES, code) ? LOCAL_TITLES : Object.hasOwn(REMOTE_TITLES, code) ? REMOTE_TITLES : undefined
  if (table !== undefined) return table[code]
  if (Object.hasOwn(EVIDENCE_CODES, code)) return EVIDENCE_CODES[code as keyof typeof EVIDENCE_CODES].zh
  return FAMILY_TITLES.find(([prefix]) => code.startsWith(prefix))?.[1]
}
