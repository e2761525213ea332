import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createHash, randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { apiKeyFileAt } from '@songhua/node/gateway/api-key-file'
import {
  apiKeyFileToText, createApiKey, createApiKeys, EMPTY_API_KEY_FILE, parseApiKeyFile, revokeApiKey,
} from '@songhua/node/gateway/api-keys'
import { addressKey } from '@songhua/node/base/address-key'
import { createRates } from '@songhua/node/gateway/http/rates'
import { GATEWAY_LIMITS } from '@songhua/node/gateway/limits'
import { codeOf } from '../protocol/support.js'

const sources = { nowMs: () => 1_000, randomBytes }
const asked = { name: '许可处', issuer: 'uscc:912301840000000010', scopes: ['records:write', 'records:read'] }

describe('the file of API keys', () => {
  it('holds of a token the hash of its secret, and no more', () => {
    const { file, key, token } = createApiKey(EMPTY_API_KEY_FILE, asked, sources)
    expect(token).toMatch(/^shk_[a-z2-7]{16}_[A-Za-z0-9_-]{43}$/)
    const secret = token.split('_').slice(2).join('_')
    const text = apiKeyFileToText(file)
    expect(text).not.toContain(secret)
    expect(key.secretHash).toBe(createHash('sha256').update(secret).digest('hex'))
    expect(parseApiKeyFile(text)).toEqual(file)
  })

  it('keeps the moment of the first revocation', () => {
    const { file, key } = createApiKey(EMPTY_API_KEY_FILE, asked, sources)
    const twice = revokeApiKey(revokeApiKey(file, key.id, 5), key.id, 9)
    expect(twice.keys[0]!.revokedAt).toBe(5)
    expect(codeOf(() => revokeApiKey(file, 'a'.repeat(16), 5))).toBe('API_KEY_UNKNOWN')
  })

  it.each([
    [{ name: ' ' }, 'API_KEY_NAME'],
    [{ name: 'x'.repeat(65) }, 'API_KEY_NAME'],
    [{ issuer: 'the bureau' }, 'API_KEY_ISSUER'],
    [{ scopes: [] }, 'API_KEY_SCOPE'],
    [{ scopes: ['records:all'] }, 'API_KEY_SCOPE'],
    [{ account: '' }, 'API_KEY_ACCOUNT'],
    [{ account: `0x${'ab'.repeat(19)}` }, 'API_KEY_ACCOUNT'],
    [{ account: 'ab'.repeat(20) }, 'API_KEY_ACCOUNT'],
  ])('refuses a key with %j', (change, code) => {
    expect(codeOf(() => createApiKey(EMPTY_API_KEY_FILE, { ...asked, ...change }, sources))).toBe(code)
  })

  it.each([
    ['', 'nothing'],
    ['{}', 'no keys'],
    ['{"version":2,"keys":[]}', 'a later version'],
    ['{"version":1,"keys":[],"extra":1}', 'another field'],
    ['{"version":1,"keys":[{"id":"x"}]}', 'half a key'],
  ])('refuses to read %s (%s)', (text) => {
    expect(codeOf(() => parseApiKeyFile(text))).toBe('API_KEYS_FORMAT')
  })

  it('keeps an account in lower case, and reads no other', () => {
    const { file } = createApiKey(EMPTY_API_KEY_FILE, { ...asked, account: `0X${'aB'.repeat(20)}` }, sources)
    const text = apiKeyFileToText(file)
    expect(parseApiKeyFile(text).keys[0]!.account).toBe(`0x${'ab'.repeat(20)}`)
    expect(codeOf(() => parseApiKeyFile(text.replace('0xab', '0xAB')))).toBe('API_KEYS_FORMAT')
  })

  it('refuses an id that is there twice', () => {
    const { file } = createApiKey(EMPTY_API_KEY_FILE, asked, sources)
    expect(codeOf(() => parseApiKeyFile(apiKeyFileToText({ version: 1, keys: [...file.keys, ...file.keys] })))).toBe('API_KEYS_FORMAT')
  })
})

describe('whose a token is', () => {
  const made = createApiKey(EMPTY_API_KEY_FILE, asked, sources)

  it('follows the file within a second, and looks at it no oftener than needed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'songhua-keys-'))
    const path = join(folder, 'api-keys.json')
    let nowMs = 0
    let looks = 0
    const file = apiKeyFileAt(path)
    const keys = createApiKeys({ stamp: () => (looks++, file.stamp()), read: () => file.read() }, { now: () => nowMs })
    const replace = (text: string): void => {
      writeFileSync(`${path}.new`, text)
      renameSync(`${path}.new`, path)
    }
    expect(keys.callerOf(made.token)).toBeUndefined()
    replace(apiKeyFileToText(made.file))
    for (let i = 0; i < 100; i++) keys.callerOf(made.token)
    expect(looks).toBe(1)
    nowMs += 999
    expect(keys.callerOf(made.token)).toMatchObject({ keyId: made.key.id, issuer: asked.issuer })
    expect(keys.callerWith(made.key.id)?.keyId).toBe(made.key.id)
    replace(apiKeyFileToText(revokeApiKey(made.file, made.key.id, 7)))
    nowMs += 999
    expect(keys.callerOf(made.token)).toBeUndefined()
    expect(keys.callerWith(made.key.id)).toBeUndefined()
    replace('damaged')
    nowMs += 999
    expect(codeOf(() => keys.callerOf(made.token))).toBe('GATEWAY_KEYS_UNREADABLE')
    expect(codeOf(() => keys.callerOf('anything'))).toBe('GATEWAY_KEYS_UNREADABLE')
    replace(apiKeyFileToText(made.file))
    nowMs += 999
    expect(keys.callerOf(made.token)?.scopes).toEqual(new Set(asked.scopes))
    rmSync(folder, { recursive: true })
  })

  it('is asked of a clock that may step back', () => {
    let nowMs = 1e12
    let text = apiKeyFileToText(made.file)
    const keys = createApiKeys({ stamp: () => text, read: () => text }, { now: () => nowMs })
    expect(keys.callerWith(made.key.id)?.keyId).toBe(made.key.id)
    nowMs -= 1e9
    text = apiKeyFileToText(EMPTY_API_KEY_FILE)
    expect(keys.callerWith(made.key.id)).toBeUndefined()
  })
})

describe('rates', () => {
  it.each([
    ['10.1.2.3', '10.1.2.3'],
    ['::ffff:10.1.2.3', '10.1.2.3'],
    ['2001:db8:1:2:3:4:5:6', '8193:3512:1:2'],
    ['2001:db8:1:2::9', '8193:3512:1:2'],
    ['2001:db8::9', '8193:3512:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', '65152:0:0:0'],
  ])('counts %s as %s', (address, key) => expect(addressKey(address)).toBe(key))

  it('remember a bounded number of those they have seen', () => {
    const rates = createRates({ ...GATEWAY_LIMITS, ratesMax: 2, anonymousBurst: 1, anonymousPerSecond: 0.001 }, { now: () => 0 })
    rates.anonymous('10.0.0.1')
    expect(codeOf(() => rates.anonymous('10.0.0.1'))).toBe('RATE_LIMITED')
    rates.anonymous('10.0.0.2')
    rates.anonymous('10.0.0.3')
    rates.anonymous('10.0.0.1')
    expect(codeOf(() => rates.anonymous('10.0.0.3'))).toBe('RATE_LIMITED')
  })
})
