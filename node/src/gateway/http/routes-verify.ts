import { hexToBytes, isHex } from '@songhua/sdk/protocol/bytes'
import { createEvidenceVerifier, type EvidenceInput, type EvidenceVerifier, verifyEvidence } from '@songhua/sdk/protocol/evidence'
import { EVIDENCE_CODES, EVIDENCE_MEANING, isEvidenceError } from '@songhua/sdk/protocol/evidence-codes'
import { readEvidenceJson } from '@songhua/sdk/protocol/evidence-json'
import type { EvidenceVerdict } from '@songhua/sdk/protocol/evidence-verdict'
import { parseTrustAnchor, trustAnchorToJson } from '@songhua/sdk/protocol/trust-anchor'
import { gatewayError } from '../errors.js'
import type { GatewayLimits } from '../limits.js'
import type { ChainProofs } from '../ports.js'
import type { Rates } from './rates.js'
import { invalidFields } from './request-violations.js'
import type { Route } from './route.js'

export interface VerifyPorts {
  readonly chainId: number
  readonly proofs: Pick<ChainProofs, 'header'>
  readonly rates: Pick<Rates, 'verify'>
  readonly limits: GatewayLimits
}

interface VerifyBody {
  readonly evidence?: unknown
  readonly payload?: string
  readonly salt?: string
  readonly trustAnchor?: unknown
}

/** Verification for those who cannot run it themselves: what it says is worth what this server is trusted for. */
export function verifyRoutes({ chainId, proofs, rates, limits }: VerifyPorts): Route[] {
  let own: Promise<EvidenceVerifier> | undefined
  const ownVerifier = (): Promise<EvidenceVerifier> => (own ??= verifierOf(chainId, proofs).catch(forget))
  const forget = (error: unknown): never => {
    own = undefined
    throw error
  }
  return [
    {
      method: 'POST', url: '/v1/verify', operationId: 'verifyEvidence', tag: 'verification', rate: 'verify',
      summary: { zh: '核验证据文件', en: 'Verify a bundle' },
      description: {
        zh: 'trustAnchor 缺省为本链创世块。为保险起见，请离线核验：songhua verify。',
        en: "trustAnchor: this chain's genesis unless given. Whoever wants to trust nobody runs `songhua verify` offline.",
      },
      body: {
        limit: 'verifyBodyBytesMax',
        valuesLimit: 'verifyValuesMax',
        content: {
          'application/json': {
            type: 'object',
            properties: {
              evidence: { description: 'the bundle, or the text of its file' },
              payload: { type: 'string', pattern: '^[A-Za-z0-9+/]*={0,2}$', description: 'base64 of the exact bytes' },
              salt: { type: 'string', pattern: '^(0x)?[0-9a-fA-F]*$', maxLength: 130 },
              trustAnchor: { description: 'the trust anchor, or the text of its file' },
            },
            required: ['evidence'],
            additionalProperties: false,
          },
        },
      },
      answers: { 200: { text: { zh: '结论，不论真伪', en: 'the verdict, valid or not' }, schema: { $ref: 'Verdict#' } } },
      errors: ['EVIDENCE_TOO_LARGE'],
      handle: async (call) => {
        const body = call.body as VerifyBody
        const evidence = evidenceOf(body.evidence)
        const characters = checkHistory(evidence, limits.verifyHistoryCharactersMax)
        // One was counted at the door.
        const more =
          Math.floor(characters / limits.verifyHistoryCharactersPerTurn) + Math.floor(call.bodyBytes.length / limits.verifyBodyBytesPerTurn)
        if (more > 0) rates.verify(call.request.ip, more)
        const input = inputOf(body)
        const { trustAnchor } = body
        if (trustAnchor !== undefined) return verdictToJson(verifyEvidence(evidence, { ...input, trustAnchor }))
        return verdictToJson((await ownVerifier()).verify(evidence, input))
      },
    },
  ]
}

/**
 * @returns characters of the history, with which the work grows
 * @throws GatewayError `EVIDENCE_TOO_LARGE` for more seals than one caller may have the server look at
 */
function checkHistory(evidence: unknown, limit: number): number {
  const characters = historyCharacters(evidence)
  if (characters > limit) throw gatewayError('EVIDENCE_TOO_LARGE', { characters, limit: 'verifyHistoryCharactersMax', max: limit })
  return characters
}

function historyCharacters(evidence: unknown): number {
  const history = (evidence as { validatorHistory?: unknown } | null | undefined)?.validatorHistory
  if (!Array.isArray(history)) return 0
  return history.reduce((sum: number, header) => sum + (typeof header === 'string' ? header.length : 0), 0)
}

/**
 * A text is bounded in depth and values before it is parsed, and parsed once. One that is no such JSON stays a text: why
 * is for the verdict to say, which ends at the same place.
 */
function evidenceOf(given: unknown): unknown {
  if (typeof given !== 'string') return given
  try {
    return readEvidenceJson(given)
  } catch (error) {
    if (isEvidenceError(error)) return given
    throw error
  }
}

async function verifierOf(chainId: number, proofs: Pick<ChainProofs, 'header'>): Promise<EvidenceVerifier> {
  const json = trustAnchorToJson({ chainId, genesisHeader: await proofs.header(0), checkpoints: [] })
  return createEvidenceVerifier(parseTrustAnchor(json))
}

function inputOf({ payload, salt }: VerifyBody): EvidenceInput {
  return {
    ...(payload === undefined ? {} : { payload: Buffer.from(payload, 'base64') }),
    ...(salt === undefined ? {} : { salt: saltOf(salt) }),
  }
}

function saltOf(text: string): Uint8Array {
  const hex = text.startsWith('0x') ? text : `0x${text}`
  if (isHex(hex)) return hexToBytes(hex)
  const [zh, en] = ['salt 应为偶数个十六进制数字', 'salt must be an even number of hexadecimal digits']
  throw invalidFields('body', [{ path: '/salt', code: 'PATTERN', zh, en }])
}

/** With the texts of each step's code. */
function verdictToJson({ valid, steps, facts }: EvidenceVerdict): Record<string, unknown> {
  return {
    valid,
    meaning: EVIDENCE_MEANING,
    steps: steps.map((one) => ({ ...one, zh: EVIDENCE_CODES[one.code].zh, en: EVIDENCE_CODES[one.code].en })),
    facts: facts ?? null,
  }
}
