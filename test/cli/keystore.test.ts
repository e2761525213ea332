import { Wallet, encryptKeystoreJsonSync } from 'ethers'
import { describe, expect, it } from 'vitest'
import { bytesToHex, hexToBytes } from '@songhua/sdk/protocol/bytes'
import { decryptKey, encryptKey, parseKeystore, textToPrivateKey } from '@songhua/node/cli/keystore'
import { testContext } from './support.js'

const KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'
const ADDRESS = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266'
const PASSWORD = 'Straße 口令 pass'
const context = testContext()

/** The vectors of the Web3 Secret Storage definition; both hold the same key under "testpassword". */
const VECTORS = [
  {
    version: 3,
    id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
      ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
      kdf: 'pbkdf2',
      kdfparams: {
        c: 262144,
        dklen: 32,
        prf: 'hmac-sha256',
        salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
      },
      mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
    },
  },
  {
    version: 3,
    id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
      ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
      kdf: 'scrypt',
      kdfparams: {
        dklen: 32,
        n: 262144,
        p: 8,
        r: 1,
        salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19',
      },
      mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
    },
  },
]

const open = (json: unknown, password: string): Promise<Uint8Array> =>
  decryptKey(context, { keystore: parseKeystore(context, json, 'k.json'), password, path: 'k.json' })

describe('the keystore', () => {
  it.each(VECTORS)('opens the vector of $crypto.kdf', async (vector) => {
    expect(bytesToHex(await open(vector, 'testpassword'))).toBe(
      '0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d',
    )
  })

  it('is read by ethers, and reads what ethers wrote', async () => {
    const ours = await encryptKey(hexToBytes(KEY), PASSWORD)
    expect((await Wallet.fromEncryptedJson(JSON.stringify(ours), PASSWORD)).privateKey).toBe(KEY)
    const theirs = encryptKeystoreJsonSync({ address: ADDRESS, privateKey: KEY }, PASSWORD, { scrypt: { N: 1024 } })
    expect(bytesToHex(await open(JSON.parse(theirs), PASSWORD))).toBe(KEY)
  })

  it('refuses a wrong password, a changed ciphertext and a foreign address, each by its code', async () => {
    const keystore = await encryptKey(hexToBytes(KEY), PASSWORD)
    await expect(open(keystore, `${PASSWORD}x`)).rejects.toMatchObject({ code: 'KEYSTORE_PASSWORD' })
    const changed = { ...keystore.crypto, ciphertext: keystore.crypto.ciphertext.replace(/^../, '00') }
    await expect(open({ ...keystore, crypto: changed }, PASSWORD)).rejects.toMatchObject({ code: 'KEYSTORE_PASSWORD' })
    await expect(open({ ...keystore, address: '00'.repeat(20) }, PASSWORD)).rejects.toMatchObject({
      code: 'KEYSTORE_FIELD',
      details: { field: 'address' },
    })
  })

  it.each([
    ['version', (k: Json) => ({ ...k, version: 1 })],
    ['crypto', (k: Json) => ({ ...k, crypto: 'x' })],
    ['crypto.cipher', (k: Json) => within(k, { cipher: 'aes-256-gcm' })],
    ['crypto.cipherparams', (k: Json) => within(k, { cipherparams: null })],
    ['crypto.cipherparams.iv', (k: Json) => within(k, { cipherparams: { iv: 'zz' } })],
    ['crypto.ciphertext', (k: Json) => within(k, { ciphertext: 'abcd' })],
    ['crypto.mac', (k: Json) => within(k, { mac: 7 })],
    ['crypto.kdf', (k: Json) => within(k, { kdf: 'argon2' })],
    ['crypto.kdfparams.n', (k: Json) => within(k, { kdfparams: { ...k.crypto.kdfparams, n: 3000 } })],
    ['crypto.kdfparams.n', (k: Json) => within(k, { kdfparams: { ...k.crypto.kdfparams, n: 2 ** 24, r: 64 } })],
    ['crypto.kdfparams.p', (k: Json) => within(k, { kdfparams: { ...k.crypto.kdfparams, p: 1e9 } })],
    ['crypto.kdfparams.salt', (k: Json) => within(k, { kdfparams: { ...k.crypto.kdfparams, salt: undefined } })],
    ['crypto.kdfparams.dklen', (k: Json) => within(k, { kdfparams: { ...k.crypto.kdfparams, dklen: 16 } })],
  ])('names the malformed field %s', (field, damage) => {
    expect(() => parseKeystore(context, damage(VECTORS[1] as Json), 'k.json')).toThrow(
      expect.objectContaining({
        code: 'KEYSTORE_FIELD',
        message: expect.stringContaining(`k.json: ${field} must be`) as string,
      }) as Error,
    )
  })

  it.each([[[]], [null], ['text'], [7]])('refuses %j as a keystore', (json) => {
    expect(() => parseKeystore(context, json, 'k.json')).toThrow(/must be an object/)
  })
})

describe('a plain key', () => {
  it('is read with and without 0x', () => {
    expect(bytesToHex(textToPrivateKey(context, ` ${KEY.slice(2).toUpperCase()}\n`, 'stdin'))).toBe(KEY)
  })

  it.each(['', '0x12', `${KEY}00`, `0x${'00'.repeat(32)}`, `0x${'ff'.repeat(32)}`])(
    'is refused, and not shown: %j',
    (text) => {
      const refuse = (): unknown => textToPrivateKey(context, text, 'stdin')
      expect(refuse).toThrow(expect.objectContaining({ code: 'CLI_KEY' }) as Error)
      if (text.length > 4) expect(refuse).not.toThrow(text)
    },
  )
})

type Json = { crypto: { kdfparams: object } & Record<string, unknown> } & Record<string, unknown>

function within(keystore: Json, changes: Record<string, unknown>): unknown {
  return { ...keystore, crypto: { ...keystore.crypto, ...changes } }
}
