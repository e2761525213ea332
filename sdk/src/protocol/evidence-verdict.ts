import type { Address, Hash } from './bytes.js'
import { messageOf } from './errors.js'
import {
  EVIDENCE_CODES,
  EVIDENCE_STEPS,
  type EvidenceCode,
  type EvidenceStep,
  failEvidence,
  isEvidenceError,
} from './evidence-codes.js'
import type { RecordFamily } from './evidence-envelope.js'
import type { IssuerStanding } from './evidence-issuer.js'

/** What the verifier answers, and how it comes about. */

export interface EvidenceStepResult {
  readonly step: EvidenceStep
  readonly ok: boolean
  /** Its texts are in `EVIDENCE_CODES`. */
  readonly code: EvidenceCode
  /** The values at fault, in English; failed steps only. */
  readonly message?: string
}

export interface EvidenceFacts {
  /** That the record existed in this form at the block's time: no more. Texts: `EVIDENCE_MEANING`. */
  readonly proves: 'existence'
  readonly inForce: 'unproven'
  readonly meaning: { readonly en: string; readonly zh: string }
  readonly recordId: string
  readonly family: RecordFamily
  readonly schema: { readonly id: string; readonly version: string }
  readonly issuer: { readonly name: string; readonly standing: IssuerStanding }
  /** Whether the payload itself was compared. */
  readonly payload: 'verified' | 'not given'
  readonly leafHash: Hash
  readonly batch: {
    readonly id: Hash
    readonly root: Hash
    readonly size: number
    readonly leafIndex: number
    /** The account that anchored it. */
    readonly sender: Address
  }
  readonly chainId: number
  readonly genesisHash: Hash
  readonly block: {
    readonly number: number
    readonly hash: Hash
    readonly timeMs: number
    readonly transactionIndex: number
    readonly logIndex: number
  }
  readonly horizon: EvidenceHorizon
  /** Parts of the bundle that this version does not check. */
  readonly unchecked: readonly ('timestampTokens' | 'status')[]
}

/**
 * On whose word the block is believed. `checkpoint`: the trust anchor's, at that height. `validators`: a quorum's, of
 * the sets after `fromHeight`, the newest checkpoint or the genesis; keys that were retired since then could lie about
 * what came after them, so a trust anchor with a newer checkpoint, and `refreshEvidence`, make the proof stronger.
 */
export type EvidenceHorizon =
  | { readonly proof: 'checkpoint'; readonly height: number }
  | { readonly proof: 'validators'; readonly fromHeight: number; readonly sealedHeight: number }

export interface EvidenceVerdict {
  readonly valid: boolean
  /** Every step of `EVIDENCE_STEPS`, in their order. */
  readonly steps: readonly EvidenceStepResult[]
  /** What is proved; undefined when the bundle is not valid. */
  readonly facts: EvidenceFacts | undefined
}

/** The step that decided against the bundle, the first that failed of itself; undefined when it is valid. */
export function decisiveStep({ steps }: Pick<EvidenceVerdict, 'steps'>): EvidenceStepResult | undefined {
  return steps.find(({ ok, code }) => !ok && code !== 'STEP_NOT_REACHED')
}

/** Why a bundle is not valid, in one line: code, its text, the values at fault; undefined when it is valid. */
export function reasonOf(verdict: Pick<EvidenceVerdict, 'steps'>, language: 'zh' | 'en' = 'en'): string | undefined {
  const step = decisiveStep(verdict)
  if (step === undefined) return undefined
  const { code, message } = step
  return `${code}: ${EVIDENCE_CODES[code][language]}${message === undefined ? '' : ` (${message})`}`
}

// ------------------------------------------------------------------------------------------------------ report

export interface Passed<T> {
  code: EvidenceCode
  value: T
}

export interface Report {
  /** Undefined when the check failed. */
  run<T>(step: EvidenceStep, check: () => Passed<T>): T | undefined
  verdict(facts: () => EvidenceFacts | undefined): EvidenceVerdict
}

export function createReport(): Report {
  const results = new Map<EvidenceStep, EvidenceStepResult>()
  return {
    run: (step, check) => {
      try {
        const { code, value } = check()
        results.set(step, { step, ok: true, code })
        return value
      } catch (error) {
        const code = isEvidenceError(error) ? error.code : 'STEP_UNEXPECTED'
        results.set(step, { step, ok: false, code, message: messageOf(error) })
        return undefined
      }
    },
    verdict: (facts) => {
      const steps = EVIDENCE_STEPS.map((step) => results.get(step) ?? notReached(step))
      const valid = steps.every(({ ok }) => ok)
      return { valid, steps, facts: valid ? facts() : undefined }
    },
  }
}

function notReached(step: EvidenceStep): EvidenceStepResult {
  return { step, ok: false, code: 'STEP_NOT_REACHED' }
}

/** What an earlier step had to find. */
export function found<T>(value: T | undefined): T {
  return value ?? failEvidence('STEP_NOT_REACHED', 'An earlier step failed')
}
