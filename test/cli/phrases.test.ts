import { describe, expect, it } from 'vitest'
import { FINDING_TEXTS, explainFinding } from '@songhua/node/cli/finding-texts'
import { REPAIR_PHRASES, SILENCE_PHRASES, USAGE_PHRASES, phraseOf } from '@songhua/node/cli/titles/phrases'
import { formatUsageVerdict } from '@songhua/node/cli/usage-text'
import { formatVerdict } from '@songhua/node/cli/verdict-text'
import { type FoundLog, recoverSafety } from '@songhua/node/signer/recovery'
import { EVIDENCE_STEPS } from '@songhua/sdk/protocol/evidence-codes'
import { testContext } from './support.js'

/** What the layers below say in English sentences, in Chinese. */

const decodeBlock = (): never => {
  throw new RangeError('no block')
}
const silenceOf = (log: FoundLog): string => recoverSafety({ log, headNumber: 83, decodeBlock }).silence!

describe('why a validator keeps silent', () => {
  const found: FoundLog[] = [
    ...(['missing', 'damaged', 'fresh'] as const).map((status) => ({ status, records: [] })),
    { status: 'foreign', records: [] },
    { status: 'foreign', records: [], owner: `0x${'1'.repeat(40)}` },
    { status: 'ok', records: [] },
    { status: 'ok', records: [Uint8Array.of(1, 2, 3)] },
  ]

  it.each(found.map((log) => [silenceOf(log)]))('%s', (silence) => {
    const said = phraseOf(SILENCE_PHRASES, silence)
    expect(said).toMatch(/^共识日志.*$/)
    expect(phraseOf(REPAIR_PHRASES, silence)).toBe(said)
  })

  it('stands in the findings, as what a layer below says of a fault does behind its title', () => {
    const values = { path: 'consensus.log', status: 'missing', reason: silenceOf(found[0]!) }
    const lost = { code: 'LOG_LOST', severity: 'warning', values } as const
    expect(explainFinding(lost, 'zh').why).toContain('（共识日志缺失，链数据库位于区块 83）')
    expect(explainFinding(lost, 'en').why).toContain('(the consensus log is missing, the store is at block 83)')
    const refused = { code: 'STORE_REFUSED', severity: 'error', values: { code: 'STORE_NEWER_SCHEMA', message: 'of schema 9' } } as const
    expect(explainFinding(refused, 'zh').what).toBe('链数据库无法打开：链数据库由更新版本的程序写成。of schema 9')
    expect(explainFinding(refused, 'en').what).toBe('The chain store cannot be opened: of schema 9')
    expect(Object.keys(FINDING_TEXTS)).toContain('LOG_LOST')
  })

  it('of a mark that is elsewhere than the store', () => {
    for (const which of ['log', 'store']) {
      const text = `the consensus log is at height 7, the store at block 83: the ${which} is an old copy`
      expect(phraseOf(SILENCE_PHRASES, text)).toMatch(/^共识日志位于高度 7，链数据库位于区块 83：.{2,3}是旧副本$/)
    }
    expect(phraseOf(SILENCE_PHRASES, 'something else')).toBeUndefined()
  })
})

describe('what is wrong with a usage statement', () => {
  it('is said in the language of the user, with what cannot be told in English', () => {
    const steps = [
      { step: 'form', outcome: 'wrong', reason: 'version must be 1' },
      { step: 'sums', outcome: 'wrong', reason: 'organisations 11230000MB0000019P, accounts: the parts do not add up' },
      { step: 'figures', outcome: 'wrong', reason: 'total.gas: the statement has "3", the chain "2"' },
      { step: 'chain', outcome: 'unchecked', reason: 'no node was asked' },
    ] as const
    const verdict = { isSound: false, steps, statement: undefined }
    const zh = formatUsageVerdict({ ...testContext(), language: 'zh' }, verdict)
    for (const part of ['（version must be 1）', '（机构 11230000MB0000019P 各账户的分项之和与合计不符）', '（total.gas：清单为 "3"，链上为 "2"）', '（未指定节点，加 --rpc 可核验）']) {
      expect(zh).toContain(part)
    }
    expect(formatUsageVerdict(testContext(), verdict)).toContain('every total is the sum of its parts (organisations 11230000MB0000019P, accounts: the parts do not add up)')
    expect(phraseOf(USAGE_PHRASES, 'nobody has signed it')).toBe('无人签名')
  })
})

describe('what is wrong with evidence', () => {
  it('is what its code means, then the values in brackets', () => {
    const message = '0x79 sealed block 2, but is no validator'
    const steps = EVIDENCE_STEPS.map((step) => step === 'seals' ? { step, ok: false, code: 'SEALS_UNKNOWN_SIGNER', message } as const : { step, ok: false, code: 'STEP_NOT_REACHED' } as const)
    const verdict = { valid: false, steps, facts: undefined }
    expect(formatVerdict(verdict, 'zh')).toMatch(new RegExp(`无效: SEALS_UNKNOWN_SIGNER\\n {2}签封者不是\\p{Script=Han}+（${message}）$`, 'u'))
    expect(formatVerdict(verdict, 'en').endsWith(`\n  ${message}`)).toBe(true)
  })
})
