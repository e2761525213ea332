import { isSonghuaError } from '../connection/songhua-error.js'

/** Why a node takes no such transaction from its sender, or tells a reader nothing: the policy that the council keeps on the chain. */
export type PermissionRefusalCode = keyof typeof TEXTS

export interface PermissionRefusal {
  readonly code: PermissionRefusalCode
  /**
   * When the same transaction may be taken, ms since 1970; 0: as soon as the sender's own waiting transactions are in a
   * block. Undefined: waiting does not help; a right is given, or a quota raised, by the organisation or the council.
   */
  readonly retryAtMs: number | undefined
  readonly text: { readonly en: string; readonly zh: string }
}

const TEXTS = {
  PERMISSION_NOT_BOUND: {
    en: 'The account is bound to no organisation. Ask the administrator of your organisation to bind it.',
    zh: '该账户未绑定任何机构。请联系本机构管理员绑定账户。',
  },
  PERMISSION_ROLE: {
    en: 'The account lacks the role for this. The administrator of its organisation gives roles, within those of the organisation.',
    zh: '该账户没有执行此操作的角色。角色由本机构管理员在机构角色范围内授予。',
  },
  PERMISSION_ORGANISATION_SUSPENDED: {
    en: 'The organisation of the account is suspended. The council decides on its reinstatement.',
    zh: '该账户所属机构已被暂停。是否恢复由理事会决定。',
  },
  PERMISSION_READ: {
    en: 'Not everybody may read this. Give the connection an API key of the node, of an organisation or account that may: details.data says who that is.',
    zh: '此内容并非人人可读。请为连接提供该节点签发、且其机构或账户有读取权限的 API 密钥；details.data 说明须具备的条件。',
  },
  QUOTA_ACCOUNT_GAS: { en: 'The gas of the account for today is used up.', zh: '该账户今日的计算（gas）配额已用尽。' },
  QUOTA_ACCOUNT_BYTES: { en: 'The bytes of the account for today are used up.', zh: '该账户今日的数据量配额已用尽。' },
  QUOTA_ORGANISATION_GAS: { en: 'The gas of the organisation for today is used up.', zh: '该机构今日的计算（gas）配额已用尽。' },
  QUOTA_ORGANISATION_BYTES: { en: 'The bytes of the organisation for today are used up.', zh: '该机构今日的数据量配额已用尽。' },
  QUOTA_NEWCOMERS_GAS: {
    en: 'The gas of all accounts without an organisation for today is used up.', zh: '未绑定机构的账户今日的计算（gas）总配额已用尽。',
  },
  QUOTA_NEWCOMERS_BYTES: {
    en: 'The bytes of all accounts without an organisation for today are used up.', zh: '未绑定机构的账户今日的数据量总配额已用尽。',
  },
} as const

const isPermissionRefusalCode = (code: unknown): code is PermissionRefusalCode => typeof code === 'string' && Object.hasOwn(TEXTS, code)

/** @param error what a connection to the chain threw. @returns undefined when it is no refusal by the policy */
export function permissionRefusalOf(error: unknown): PermissionRefusal | undefined {
  if (!isSonghuaError(error, 'RPC_REFUSED')) return undefined
  const { reason, data } = error.details
  if (!isPermissionRefusalCode(reason)) return undefined
  return { code: reason, retryAtMs: reason.startsWith('QUOTA_') ? retryAtMs(data) : undefined, text: TEXTS[reason] }
}

/** From what the node told: `limit`, `used`, `pending` and `asked` as quantities, `resetsAt` in seconds. */
function retryAtMs(data: unknown): number | undefined {
  if (typeof data !== 'object' || data === null) return undefined
  const { limit, used, pending, asked, resetsAt } = data as Record<string, unknown>
  const [most, sofar, wanted] = [limit, used, asked].map(quantityOf)
  if (most === undefined || sofar === undefined || wanted === undefined || wanted > most) return undefined
  if (quantityOf(pending) !== undefined && sofar + wanted <= most) return 0
  return typeof resetsAt === 'number' ? resetsAt * 1000 : undefined
}

function quantityOf(value: unknown): bigint | undefined {
  return typeof value === 'string' && /^0x[0-9a-f]{1,64}$/i.test(value) ? BigInt(value) : undefined
}
