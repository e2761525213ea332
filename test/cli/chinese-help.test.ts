import { describe, expect, it } from 'vitest'
import { DOORS, NODE_KINDS, ORGANISATION_KINDS, ROLE_BITS } from '@songhua/sdk/governance/codes'
import { MOTION_KIND_WORDS } from '@songhua/sdk/governance/words'
import { wordName, wordNames } from '@songhua/node/cli/governance/names'
import { displayWidth } from '@songhua/node/cli/table'
import { runCommand } from './in-process.js'

/** Help and words in Chinese. */

const COMMANDS = ['init', 'genesis', 'start', 'devnet', 'keys', 'status', 'doctor', 'repair', 'anchor', 'verify', 'anchor-file', 'apikey', 'backup',
  'restore', 'apply', 'council', 'node', 'account', 'audit', 'usage']

const helpOf = async (...words: string[]): Promise<string> => (await runCommand([...words, '--help'], { language: 'zh' })).stdout

describe('the help in Chinese', () => {
  it.each([[], ...COMMANDS.map((name) => [name])])('of songhua %s has no words of commander, and says one thing in one word', async (...words) => {
    const help = await helpOf(...words)
    expect(help).toMatch(/^用法： ?songhua .*\[选项\]/m)
    expect(help).not.toMatch(/\[options\]|\[command\]|Usage|Options:|Commands:|链 id|对等 id|动议|验证节点|密文/)
  })

  it('has its columns aligned, whatever is in them', async () => {
    const lines = (await helpOf()).split('\n').filter((line) => /^ {2}[a-z-]+ .*\[选项\]/.test(line))
    expect(lines.length).toBeGreaterThan(10)
    const columns = lines.map((line) => displayWidth(/^ {2}\S.*? {2,}/.exec(line)![0]))
    expect(new Set(columns).size).toBe(1)
  })

  it('is as it was in English', async () => {
    expect((await runCommand(['--help'])).stdout).toMatch(/^Usage: songhua \[options\] \[command\]/)
  })
})

describe('words of the chain', () => {
  it('are called by their Chinese names, with the word that flags take', () => {
    expect([wordName('bank', 'zh'), wordName('bank', 'en'), wordName('eth', 'zh'), wordName('toString', 'zh')]).toEqual(['银行 (bank)', 'bank', 'eth', 'toString'])
    expect(wordNames(['anchor', 'read'], 'zh')).toBe('上链 (anchor), 读取 (read)')
  })

  it('mean one thing each', () => {
    const words = [Object.keys(ROLE_BITS), [...ORGANISATION_KINDS], [...NODE_KINDS], Object.keys(MOTION_KIND_WORDS), Object.keys(DOORS)].flat()
    expect(new Set(words).size).toBe(words.length)
  })
})
