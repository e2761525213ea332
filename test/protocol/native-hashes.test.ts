import { createHash, hash } from 'node:crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { hexToBytes } from '@songhua/sdk/protocol/bytes'
import { installCrypto, sha256, sm3 } from '@songhua/sdk/protocol/crypto'
import { nativeHashes } from '@songhua/sdk/protocol/native-hashes'
import { sm3 as pureSm3 } from '@songhua/sdk/protocol/sm3'

const lengths = [0, 1, 31, 55, 56, 64, 119, 120, 1000]
const dataOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7) & 255)

describe('hashes of the platform', () => {
  afterEach(() => installCrypto({}))

  it('are there on Node, and give plain arrays of what pure code gives', () => {
    const native = nativeHashes()
    expect(Object.keys(native)).toEqual(['sha256', 'sm3'])
    for (const data of lengths.map(dataOf)) {
      expect(native.sm3!(data)).toStrictEqual(pureSm3(data))
      expect(native.sha256!(data)).toStrictEqual(new Uint8Array(createHash('sha256').update(data).digest()))
    }
  })

  it.each<[string, Parameters<typeof nativeHashes>[0] | null, string[]]>([
    ['no crypto, as in a browser', null, []],
    ['a crypto without hash, as before Node 20.12', {}, []],
    [
      'an OpenSSL that refuses SM3',
      {
        hash: (name: string, data: Uint8Array) => {
          if (name === 'sm3') throw new Error('unsupported')
          return hash(name, data, 'buffer')
        },
      },
      ['sha256'],
    ],
    ['digests of something else', { hash: (_: string, data: Uint8Array) => hash('sha512', data, 'buffer') }, []],
    ['SHA-256 under the name of SM3', { hash: (_: string, data: Uint8Array) => hash('sha256', data, 'buffer') }, ['sha256']],
  ])('%s', (_, crypto, names) => {
    if (crypto === null) vi.stubGlobal('process', undefined)
    try {
      expect(Object.keys(nativeHashes(crypto ?? undefined))).toEqual(names)
    } finally {
      vi.unstubAllGlobals()
    }
  })

  it('stay in place when an installer brings other parts, and give way to its own', () => {
    const abc = Uint8Array.of(0x61, 0x62, 0x63)
    const digest = '0x66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0'
    installCrypto({ sha256: () => new Uint8Array(32) })
    expect(sha256(abc)).toEqual(new Uint8Array(32))
    expect(sm3(abc)).toEqual(hexToBytes(digest))
    installCrypto({ sm3: () => new Uint8Array(1) })
    expect(sm3(abc)).toEqual(new Uint8Array(1))
  })
})
