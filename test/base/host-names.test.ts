import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { isConfidential, isHostAllowed, isLoopbackAddress } from '@songhua/node/base/host-names'

describe('a server', () => {
  it.each(['127.0.0.1', '127.8.9.10', '::1'])('on %s answers this machine alone', (host) => {
    expect(isLoopbackAddress(host)).toBe(true)
  })

  it.each(['0.0.0.0', '10.0.0.1', '128.0.0.1', '::', '::2', 'localhost', ''])('on %s may answer others, or is no address', (host) => {
    expect(isLoopbackAddress(host)).toBe(false)
  })

  it('answers under its names and any address, and under no other name', () => {
    for (const header of ['localhost:8545', '10.1.2.3:8545', '[::1]:8545', 'Node.example']) expect(isHostAllowed(header, ['node.example'])).toBe(true)
    for (const header of [undefined, '', 'evil.example', 'localhost.evil.example', 'a b', '[::1', 'node.example:']) {
      expect(isHostAllowed(header, ['node.example'])).toBe(false)
    }
    expect(isHostAllowed('evil.example', ['*'])).toBe(true)
  })
})

describe('what is sent to', () => {
  it('any address of this machine can be read by nobody between', () => {
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
    expect(own.length).toBeGreaterThan(0)
    for (const { address, family } of own) expect(isConfidential(`http://${family === 'IPv6' ? `[${address}]` : address}:8545`)).toBe(true)
  })

  it.each(['http://localhost:8545', 'http://LOCALHOST/', 'http://127.0.0.1', 'http://127.1:80', 'http://[::1]:8545', 'https://node.example', 'https://10.0.0.1/rpc'])(
    '%s can be read by nobody between', (url) => {
      expect(isConfidential(url)).toBe(true)
    },
  )

  it.each(['http://node.example', 'http://10.0.0.1:8545', 'http://[2001:db8::1]', 'http://localhost.evil.example', 'http://127.0.0.1@evil.example/', 'http://0.0.0.0'])(
    '%s can', (url) => {
      expect(isConfidential(url)).toBe(false)
    },
  )
})
