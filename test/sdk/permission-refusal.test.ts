import type { PermissionCode } from '@songhua/node/permission/refusal'
import { SonghuaError, permissionRefusalOf } from '@songhua/sdk'
import { describe, expect, it } from 'vitest'

/** Every code of the node; the compiler refuses one that is missing or too many. */
const CODES: Record<PermissionCode, 'right' | 'quota'> = {
  PERMISSION_NOT_BOUND: 'right', PERMISSION_ROLE: 'right', PERMISSION_ORGANISATION_SUSPENDED: 'right',
  QUOTA_ACCOUNT_GAS: 'quota', QUOTA_ACCOUNT_BYTES: 'quota', QUOTA_ORGANISATION_GAS: 'quota', QUOTA_ORGANISATION_BYTES: 'quota',
  QUOTA_NEWCOMERS_GAS: 'quota', QUOTA_NEWCOMERS_BYTES: 'quota',
}

const refused = (reason: string, data: object): SonghuaError => new SonghuaError('RPC_REFUSED', 'no', { details: { reason, data } })

describe('a refusal by the policy', () => {
  it.each(Object.entries(CODES))('%s is known, in both languages', (code, kind) => {
    const data = { code, limit: '0x64', used: '0x5a', asked: '0xb', resetsAt: 1_800_028_800 }
    const refusal = permissionRefusalOf(refused(code, data))!
    expect(refusal).toMatchObject({ code, retryAtMs: kind === 'quota' ? 1_800_028_800_000 : undefined })
    expect(refusal.text.en).toMatch(/^The .*\.$/)
    expect(refusal.text.zh).toMatch(/\p{Script=Han}.*。$/u)
  })

  it('of a read is known too, and waiting does not help', () => {
    const refusal = permissionRefusalOf(refused('PERMISSION_READ', { code: 'PERMISSION_READ', door: 'eth', level: 'members', missing: 'key' }))
    expect(refusal).toEqual({ code: 'PERMISSION_READ', retryAtMs: undefined, text: { en: expect.stringMatching(/API key/) as string, zh: expect.stringMatching(/API 密钥/) as string } })
  })

  it('of a quota: soon when only the own waiting work is in the way, never when it is above the quota', () => {
    const at = (data: object) => permissionRefusalOf(refused('QUOTA_ACCOUNT_GAS', { resetsAt: 9, ...data }))?.retryAtMs
    expect(at({ limit: '0x64', used: '0x0', pending: '0x60', asked: '0x64' })).toBe(0)
    expect(at({ limit: '0x64', used: '0x1', pending: '0x60', asked: '0x64' })).toBe(9_000)
    expect(at({ limit: '0x64', used: '0x0', asked: '0x65' })).toBeUndefined()
    expect(at({ limit: 'many', used: '0x0', asked: '0x65' })).toBeUndefined()
  })

  it('is no other refusal, whatever a node says', () => {
    for (const error of [refused('POOL_FULL', {}), refused('toString', {}), new SonghuaError('RPC_ANSWER', ''), new Error('QUOTA_ACCOUNT_GAS'), undefined]) {
      expect(permissionRefusalOf(error)).toBeUndefined()
    }
    expect(permissionRefusalOf(new SonghuaError('RPC_REFUSED', '', { details: { reason: 'QUOTA_ACCOUNT_GAS', data: null } }))).toMatchObject({ retryAtMs: undefined })
  })
})
