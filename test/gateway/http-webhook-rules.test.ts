import { describe, expect, it } from 'vitest'
import { isRefusedAddress, parseWebhookUrl, resolveWebhookHost } from '@songhua/node/gateway/http/webhook-hosts'
import { afterFailure, retryDelayMs, type WebhookState } from '@songhua/node/gateway/http/webhook-state'
import { GATEWAY_LIMITS } from '@songhua/node/gateway/limits'
import { codeOf } from '../protocol/support.js'

describe('where webhooks may lead', () => {
  const hosts = ['hooks.example.cn', '*.gov.cn', '10.0.0.7', '[2001:db8::1]']
  it.each([
    'https://hooks.example.cn/a?b=c', 'http://HOOKS.example.cn:8080', 'https://a.b.gov.cn/', 'http://10.0.0.7/', 'http://[2001:db8::1]/',
  ])('takes %s', (url) => expect(parseWebhookUrl(url, hosts).href).toBe(new URL(url).href))

  it.each([
    ['not a url', 'WEBHOOK_URL'],
    ['ftp://hooks.example.cn/', 'WEBHOOK_URL'],
    ['https://user:pass@hooks.example.cn/', 'WEBHOOK_URL'],
    ['https://example.cn/', 'WEBHOOK_HOST'],
    ['https://evilgov.cn/', 'WEBHOOK_HOST'],
    ['https://gov.cn/', 'WEBHOOK_HOST'],
    ['http://127.0.0.1/', 'WEBHOOK_HOST'],
    ['http://2130706433/', 'WEBHOOK_HOST'],
    ['http://0x7f.1/', 'WEBHOOK_HOST'],
    ['http://[::1]/', 'WEBHOOK_HOST'],
    ['http://169.254.169.254/latest/meta-data', 'WEBHOOK_HOST'],
  ])('refuses %s', (url, code) => expect(codeOf(() => parseWebhookUrl(url, hosts))).toBe(code))

  it.each([
    '127.0.0.1', '127.8.9.1', '169.254.169.254', '0.0.0.0', '100.100.100.200', '::1', '::', 'fe80::1', 'fd00:ec2::254', '::ffff:127.0.0.1',
    '::ffff:169.254.169.254', '64:ff9b::a9fe:a9fe', '224.0.0.1', '255.255.255.255', 'ff02::1',
  ])('follows no name to %s', async (address) => {
    expect(isRefusedAddress(address)).toBe(true)
    const resolve = () => Promise.resolve([{ address: '10.1.1.1', family: 4 }, { address, family: address.includes(':') ? 6 : 4 }])
    const leading = resolveWebhookHost(new URL('https://hooks.example.cn'), hosts, resolve)
    await expect(leading).rejects.toMatchObject({ code: 'WEBHOOK_HOST' })
    const listed = resolveWebhookHost(new URL('https://hooks.example.cn'), [...hosts, address], resolve)
    await expect(listed).resolves.toEqual({ address: '10.1.1.1', family: 4 })
  })

  it.each(['10.1.2.3', '192.168.1.1', '8.8.8.8', '2001:db8::2'])('follows a name to %s', async (address) => {
    const resolve = () => Promise.resolve([{ address, family: 4 }])
    await expect(resolveWebhookHost(new URL('https://a.gov.cn'), hosts, resolve)).resolves.toEqual({ address, family: 4 })
  })
})

describe('the schedule', () => {
  it('goes from 5 s to 6 h, varied by a tenth, for three days', () => {
    const delays = Array.from({ length: 9 }, (_, i) => retryDelayMs(i + 1, 0.5, GATEWAY_LIMITS))
    expect(delays).toEqual([5_000, 20_000, 80_000, 320_000, 1_280_000, 5_120_000, 20_480_000, 21_600_000, 21_600_000])
    expect([retryDelayMs(2, 0, GATEWAY_LIMITS), retryDelayMs(2, 0.999, GATEWAY_LIMITS)]).toEqual([18_000, 21_996])
    let state: WebhookState = { cursor: null, nextLetter: 1 }
    let nowMs = 0
    let attempts = 0
    for (;;) {
      attempts++
      const after = afterFailure(state, { reason: 'x' }, { through: '1.0', events: 1, nowMs, random: 0.5, limits: GATEWAY_LIMITS })
      state = after.state
      if (after.letter) break
      nowMs = state.pending!.nextAttemptMs
    }
    expect(attempts).toBe(19)
    expect(nowMs / 3_600_000).toBeGreaterThanOrEqual(72)
    expect(state).toEqual({ cursor: '1.0', nextLetter: 2 })
  })
})
