import fc from 'fast-check'
import { rosterOrganisations } from '../support/roster.js'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { canonicalJson } from '@songhua/sdk/protocol/canonical-json'
import { createEvidenceVerifier, verifyEvidence } from '@songhua/sdk/protocol/evidence'
import { parseEvidence } from '@songhua/sdk/protocol/evidence-format'
import { type GenesisJson, parseGenesis } from '@songhua/sdk/protocol/genesis'
import { parseTrustAnchor, trustAnchorToJson } from '@songhua/sdk/protocol/trust-anchor'
import { createRecordBuilder } from '@songhua/sdk/records/builder'
import { envelopeViolations, parseEnvelope } from '@songhua/sdk/records/envelope'
import { epcisEventHash } from '@songhua/sdk/records/epcis-hash'
import { toCanonicalDigitalLink } from '@songhua/sdk/records/gs1-link'
import { parseRecordSchema } from '@songhua/sdk/records/record-schema'
import { createRowReader } from '@songhua/sdk/records/row'
import { createSchemaRegistry } from '@songhua/sdk/records/schema-registry'
import { resolveOptions, jsonToOptions } from '@songhua/node/app/options'
import { parseKeystore } from '@songhua/node/cli/keystore'
import { parseRoster } from '@songhua/node/cli/roster'
import { installNativeCrypto } from '@songhua/node/execution/native-crypto'
import { apiKeyFileToText, createApiKey, EMPTY_API_KEY_FILE, parseApiKeyFile } from '@songhua/node/gateway/api-keys'
import { parseJsonBody } from '@songhua/node/gateway/http/json-body'
import { charsetOf, parseMapping, readCsv } from '@songhua/node/gateway/http/csv-body'
import { parseSubject, parseTime } from '@songhua/node/gateway/http/record-view'
import { parseWebhookUrl } from '@songhua/node/gateway/http/webhook-hosts'
import { GATEWAY_LIMITS } from '@songhua/node/gateway/limits'
import { testContext } from '../cli/support.js'
import { chain, good } from '../protocol/evidence-cases-support.js'
import { GENESIS_JSON } from '../protocol/support.js'
import { LICENCE, NOW_MS, PAYLOADS, registry } from '../records/samples.js'
import { jsonEdited, jsonTexts, strange, textEdited } from './json.js'
import { anyBytes, mutated } from './mutations.js'
import { type Outcome, assertNoPollution, knownCode, outcomeOf } from './outcome.js'
import { FUZZ_TIMEOUT_MS, holds, holdsAsync } from './runs.js'

beforeAll(async () => {
  await installNativeCrypto()
})
afterEach(assertNoPollution)

const context = testContext()

interface Reader {
  readonly name: string
  readonly good: unknown
  /** From a text; whoever takes what is parsed already gets it so. */
  readonly read: (text: string) => unknown
  readonly codes: RegExp
  /** Texts that once did harm, and what it was. */
  readonly regressions?: readonly (readonly [was: string, text: string])[]
}

/** What is not even JSON is refused in front of those readers that take what is parsed. */
const parsed = (read: (json: unknown) => unknown) => (text: string): unknown => {
  try {
    return read(JSON.parse(text))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

const licence = registry.get('government.licence')
const apiKeys = createApiKey(
  EMPTY_API_KEY_FILE,
  { name: 'test', issuer: 'uscc:912301840000000010', scopes: ['records:read'] },
  { nowMs: () => NOW_MS, randomBytes: (length) => new Uint8Array(length).fill(7) },
).file
const keystore = {
  version: 3, id: '3198bc9c-6672-5ab3-d995-4942343ae5b6', address: 'ab'.repeat(20),
  crypto: {
    cipher: 'aes-128-ctr', cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' }, ciphertext: 'cd'.repeat(32), kdf: 'scrypt',
    kdfparams: { dklen: 32, n: 262144, p: 8, r: 1, salt: 'ab'.repeat(32) }, mac: 'ef'.repeat(32),
  },
}
const roster = {
  chainId: 230000, organisations: rosterOrganisations(),
  validators: [{
    name: 'Harbin 哈尔滨', city: '230100', publicKey: '0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798',
    kind: 'super', operator: '91230100MA00000231', industry: 'I', acCode: 'hlj0',
  }],
  nodes: [], qbft: { minBlockPeriodMs: 50 }, gasLimit: 30_000_000,
}
const options = {
  name: 'harbin', follow: true, p2p: { listen: ['127.0.0.1:30303'], bootnodes: [] }, rpc: { port: 8545, corsOrigins: ['*'] },
  log: { level: 'info' }, gateway: { enabled: true, webhookHosts: ['example.org'] },
}
const richGenesis: GenesisJson = {
  ...GENESIS_JSON,
  alloc: { ...GENESIS_JSON.alloc, [`0x${'12'.repeat(20)}`]: { balance: '0x10', nonce: '0x1', code: '0x6000', storage: { '0x01': '0x02' } } },
}
const builder = createRecordBuilder(registry, { nowMs: () => NOW_MS, randomBytes: (length) => new Uint8Array(length).fill(5) })
const built = builder.licence({ payload: LICENCE, issuer: 'uscc:912301840000000010', subject: { kind: 'public', scheme: 'number', id: '7' } })

const READERS: readonly Reader[] = [
  { name: 'a genesis file', good: richGenesis, read: parseGenesis, codes: /^(JSON|GENESIS|VALIDATORS|EXTRA_DATA|RLP|HEX|CANONICAL)_|^(INTEGER_RANGE|BYTES_LENGTH)$/ },
  { name: 'a bundle', good, read: parseEvidence, codes: /^FORMAT_/ },
  { name: 'a trust anchor', good: chain.trustAnchor(3, 9), read: parseTrustAnchor, codes: /^TRUST_ANCHOR_/ },
  {
    name: 'songhua.json', good: options,
    read: parsed((json) => resolveOptions(jsonToOptions(json, 'songhua.json'))), codes: /^CONFIG_/,
  },
  { name: 'a keystore', good: keystore, read: parsed((json) => parseKeystore(context, json, 'key.json')), codes: /^KEYSTORE_FIELD$/ },
  { name: 'a roster', good: roster, read: parsed(parseRoster), codes: /^JSON_/ },
  { name: 'a file of API keys', good: JSON.parse(apiKeyFileToText(apiKeys)) as unknown, read: parseApiKeyFile, codes: /^API_KEY(S_FORMAT|_SCOPE)$/ },
  { name: 'a schema', good: licence, read: parsed((json) => parseRecordSchema(json)), codes: /^SCHEMA_INVALID$/ },
  { name: 'a registry of one schema', good: licence, read: parsed((json) => createSchemaRegistry([json])), codes: /^SCHEMA_/ },
  { name: 'an envelope', good: built.envelope, read: parsed(parseEnvelope), codes: /^ENVELOPE_(INVALID|TOO_LARGE)$/ },
  { name: 'a mapping of columns', good: { 列: 'XK_WSH', b: '$subject' }, read: (text) => parseMapping(text, GATEWAY_LIMITS), codes: /^MAPPING_INVALID$/ },
  {
    name: 'an EPCIS event', good: PAYLOADS.objectEvent,
    read: parsed((json) => (typeof json === 'object' && json !== null && !Array.isArray(json) ? epcisEventHash(json as Record<string, unknown>) : undefined)),
    codes: /^EPCIS_/,
    regressions: [
      ['a field named as what every object inherits', '{"constructor":{"prototype":{"polluted":true}}}'],
      ['a value whose toString is no function', '{"eventTime":{"toString":1,"valueOf":1},"x":[[{"toString":1}]]}'],
      ['a scheme named as what every object inherits', '{"epcList":["urn:epc:id:constructor:0614141.1"]}'],
    ],
  },
]

describe.each(READERS)('$name', { timeout: FUZZ_TIMEOUT_MS }, ({ good, read, codes, regressions = [] }) => {
  it('is read when it is good', () => {
    expect(outcomeOf(codes, () => read(JSON.stringify(good)))).toHaveProperty('value')
  })

  it('is read or refused by a code of its own, whatever is done to it', () => {
    holds(jsonTexts(good), 250, (text) => void outcomeOf(codes, () => read(text)))
  })

  it.each(regressions)('keeps what was mended: %s', (_, text) => void outcomeOf(codes, () => read(text)))
})

// --------------------------------------------------------------------------------------------- a body of the gateway

describe('a body of the gateway', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const good = { records: [{ schema: 'government.licence', payload: LICENCE }, {}, 1], more: [[]], 列: { records: [1, '],"'] } }
  const codes = /^(JSON|CHARSET)_/
  const read = async (text: string): Promise<Outcome<unknown>> => {
    try {
      return { value: await parseJsonBody(new TextEncoder().encode(text), GATEWAY_LIMITS) }
    } catch (error) {
      return { code: knownCode(codes, error) }
    }
  }

  it('is read when it is good, entry by entry, as a parser reads the whole', async () => {
    for (const text of [JSON.stringify(good), JSON.stringify(good, null, 2), '{"records":[ ],"b":[]}', '{"a":"records","b":[1]}', '["records",[1,2]]', '{"\\u0072ecords":[1]}', '\uFEFF[[1],{"a":[2]}]', '7']) {
      expect(await read(text)).toEqual({ value: JSON.parse(text.replace('\uFEFF', '')) as unknown })
    }
  })

  it('is read as a parser reads it or refused by a code of its own, whatever is done to it', async () => {
    await holdsAsync(jsonTexts(good), 250, async (text) => {
      const outcome = await read(text)
      if ('value' in outcome) expect(outcome.value).toEqual(JSON.parse(text.replace(/^\uFEFF/, '')))
      else if (outcome.code === 'JSON_INVALID') expect(() => void JSON.parse(text)).toThrow(SyntaxError)
    })
  })
})

// --------------------------------------------------------------------------------------------------------- evidence

describe('the verifier', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const trustAnchor = chain.trustAnchor()
  const verifier = createEvidenceVerifier(parseTrustAnchor(trustAnchor))

  it('never throws, and finds valid only what proves the record that was anchored', () => {
    expect(verifier.verify(good).valid).toBe(true)
    const sources = fc.oneof(jsonEdited(good), jsonTexts(good), textEdited(JSON.stringify(good)), strange)
    holds(sources, 250, (source) => {
      const verdict = verifier.verify(source)
      expect(verdict.steps.map(({ code }) => code)).not.toContain('STEP_UNEXPECTED')
      if (!verdict.valid) return
      expect(parseEvidence(source).envelope).toEqual(good.envelope)
      expect(verdict.facts?.block.number).toBe(good.anchor.blockNumber)
    })
  })

  it('finds nothing valid whose bytes are changed anywhere', () => {
    const hexFields = ['header', 'receiptProof'] as const
    holds(fc.tuple(fc.constantFrom(...hexFields), fc.nat(), fc.integer({ min: 1, max: 15 })), 150, ([field, place, change]) => {
      const spoil = (hex: string): `0x${string}` => {
        const at = 2 + (place % (hex.length - 2))
        const digit = (parseInt(hex[at]!, 16) ^ change).toString(16)
        return `0x${hex.slice(2, at)}${digit}${hex.slice(at + 1)}`
      }
      const { receiptProof } = good.anchor
      const spoilt = field === 'header'
        ? { ...good, header: spoil(good.header) }
        : { ...good, anchor: { ...good.anchor, receiptProof: receiptProof.map((node, at) => (at === place % receiptProof.length ? spoil(node) : node)) } }
      expect(verifier.verify(spoilt).valid).toBe(false)
    })
  })

  it('takes any trust anchor, and says what is wrong with it', () => {
    holds(fc.oneof(jsonEdited(trustAnchor), strange), 120, (anchor) => {
      const verdict = verifyEvidence(good, { trustAnchor: anchor })
      expect(verdict.steps.map(({ code }) => code)).not.toContain('STEP_UNEXPECTED')
      const own = outcomeOf(/^TRUST_ANCHOR_/, () => parseTrustAnchor(anchor))
      if ('code' in own) expect(verdict.valid).toBe(false)
      else expect(parseTrustAnchor(trustAnchorToJson(own.value))).toEqual(own.value)
    })
  })
})

// --------------------------------------------------------------------------------------------------- canonical JSON

describe('canonical JSON', { timeout: FUZZ_TIMEOUT_MS }, () => {
  it('is read as what was written, and written as what was read', () => {
    holds(fc.jsonValue({ maxDepth: 5 }), 300, (value) => {
      const text = canonicalJson(value)
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
      expect(canonicalJson(JSON.parse(text))).toBe(text)
    })
  })

  it('does not depend on the order of keys', () => {
    holds(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })), 150, (value) => {
      const reversed = Object.fromEntries(Object.entries(value).reverse())
      expect(canonicalJson(reversed)).toBe(canonicalJson(value))
    })
  })

  it('of anything that a program holds is a text, or refused by a code', () => {
    holds(fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true, withNullPrototype: true, withSparseArray: true }), 300, (value) => {
      outcomeOf(/^CANONICAL_JSON$/, () => canonicalJson(value))
    })
  })
})

// ---------------------------------------------------------------------------------------------------------- records

describe('records', { timeout: FUZZ_TIMEOUT_MS }, () => {
  it('of any payload under any schema are built, or refused with their violations', () => {
    const schemas = Object.keys(PAYLOADS) as (keyof typeof PAYLOADS)[]
    const inputs = fc.constantFrom(...schemas).chain((name) =>
      fc.tuple(fc.constant(name), fc.oneof(jsonEdited(PAYLOADS[name]), strange), fc.oneof(fc.constant(undefined), strange)))
    holds(inputs, 300, ([name, payload, subject]) => {
      const build = builder[name] as (input: unknown) => unknown
      const input = { payload, issuer: 'uscc:912301840000000010', ...(subject === undefined ? {} : { subject }) }
      outcomeOf(/^(RECORD_INVALID|ENVELOPE_TOO_LARGE)$/, () => build(input))
    })
  })

  it('have envelopes that are judged without an exception', () => {
    holds(fc.oneof(jsonEdited(built.envelope), strange), 200, (envelope) => {
      expect(Array.isArray(envelopeViolations(envelope))).toBe(true)
    })
  })
})

// -------------------------------------------------------------------------------------------------------------- CSV

describe('CSV', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const text = `${Object.keys(LICENCE).join(',')}\n${Object.values(LICENCE).map((cell) => `"${cell}"`).join(',')}\n`
  const bytes = new TextEncoder().encode(text)

  it('of any bytes, in any charset, under any mapping is read or refused by a code', async () => {
    const mapping = fc.oneof(
      fc.constant({}),
      fc.dictionary(fc.oneof(fc.constantFrom(...Object.keys(LICENCE)), fc.string()), fc.oneof(fc.constantFrom('$subject', '$issuer', 'XK_WSH', 'a.b.0.c', '__proto__', 'constructor'), fc.string())),
    )
    const sources = fc.record({
      bytes: fc.oneof(mutated(fc.constant(bytes)), anyBytes, textEdited(text).map((edited) => new TextEncoder().encode(edited))),
      charset: fc.constantFrom('utf-8', 'gb18030'),
      schema: fc.constantFrom(...registry.list()),
      mapping,
    })
    await holdsAsync(sources, 200, async (source) => {
      await readCsv(source, GATEWAY_LIMITS).catch((error: unknown) => knownCode(/^(CSV_INVALID|CHARSET_INVALID|TOO_MANY_RECORDS)$/, error))
    })
  })

  it('has rows of which any cell is a value or a violation', () => {
    const rows = fc.dictionary(fc.oneof(fc.constantFrom(...Object.keys(LICENCE), '__proto__', 'constructor.prototype.x', 'a.0.b'), fc.string()), fc.string())
    holds(fc.tuple(rows, fc.constantFrom(...registry.list())), 200, ([row, schema]) => {
      const reader = createRowReader(schema, Object.keys(row))
      expect(Array.isArray(reader.read(row).violations)).toBe(true)
    })
  })

  it('keeps what was mended: a quote inside a cell, whose error had a code of another kind', async () => {
    const source = { bytes: new TextEncoder().encode('a,b\n1, "2"\n'), charset: 'utf-8', schema: licence, mapping: {} }
    await expect(readCsv(source, GATEWAY_LIMITS)).rejects.toMatchObject({ code: 'CSV_INVALID' })
  })

  it('names its charset, or one that is refused', () => {
    holds(fc.oneof(fc.string(), fc.string().map((name) => `text/csv; charset=${name}`)), 150, (type) => {
      outcomeOf(/^CHARSET_INVALID$/, () => charsetOf(type))
    })
  })
})

// ------------------------------------------------------------------------------------------------- texts in a query

describe('texts', { timeout: FUZZ_TIMEOUT_MS }, () => {
  const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), strange.filter((one) => typeof one === 'string'))
  const withScheme = fc.tuple(fc.constantFrom('uscc:', 'did:', 'gs1:', 'uri:', 'number:', 'commitment:', 'urn:epc:id:sgtin:', 'https://id.gs1.org/01/'), anyText)
    .map((parts) => parts.join(''))

  it('that name a subject are one, or refused', () => {
    holds(fc.oneof(anyText, withScheme, fc.tuple(fc.constant('gs1:'), withScheme).map((parts) => parts.join(''))), 300, (text) => {
      outcomeOf(/^SUBJECT_INVALID$/, () => parseSubject(text))
    })
  })

  it('that are links of GS1 have one canonical form', () => {
    const link = fc.tuple(
      fc.constantFrom('urn:epc:id:sgtin:', 'urn:epc:id:sscc:', 'https://id.gs1.org/01/', 'https://example.org/', 'urn:epc:class:lgtin:', 'urn:epc:id:constructor:', 'https://e.org/toString/'),
      fc.oneof(fc.constantFrom('0614141.107346.2017', '4047023.0111111122', '09506000134352/10/ABC/21/1?3103=1'), anyText),
      anyText,
    ).map((parts) => parts.join(''))
    holds(link, 250, (uri) => {
      const canonical = toCanonicalDigitalLink(uri)
      if (canonical !== undefined) expect(toCanonicalDigitalLink(canonical)).toBe(canonical)
    })
  })

  it.each([
    ['a serial with a fragment, which the link lost', 'urn:epc:id:sgtin:0614141.107346.2017#'],
    ['no serial, which gave a link of no meaning', 'urn:epc:id:sgtin:0614141.107346'],
    ['a scheme that every object inherits, which was called', 'urn:epc:id:constructor:0614141.1'],
  ])('keep what was mended: %s', (_, uri) => expect(toCanonicalDigitalLink(uri)).toBeUndefined())

  it('that are times are finite, or none', () => {
    holds(fc.oneof(anyText, fc.stringMatching(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2}))?$/)), 200, (text) => {
      const ms = parseTime(text)
      if (ms !== undefined) expect(Number.isFinite(ms)).toBe(true)
    })
  })

  it('that are URLs of webhooks lead to a listed host, or are refused', () => {
    const urls = fc.oneof(anyText, fc.webUrl(), fc.tuple(fc.constantFrom('http://', 'https://', 'file://', 'http://a@', '//'), fc.constantFrom('127.0.0.1', '[::1]', 'good.org', 'x.good.org', 'good.org.', 'GOOD.org', '0x7f.1', '2130706433')).map((parts) => parts.join('')))
    holds(urls, 200, (text) => {
      const outcome = outcomeOf(/^WEBHOOK_(URL|HOST)$/, () => parseWebhookUrl(text, ['good.org', '*.good.org']))
      if ('value' in outcome) expect(outcome.value.hostname.replace(/\.$/, '').split('.').slice(-2).join('.')).toBe('good.org')
    })
  })
})
