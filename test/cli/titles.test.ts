import { readFileSync, readdirSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { createTranslator } from '@songhua/node/cli/messages'
import { FINDING_TEXTS } from '@songhua/node/cli/finding-texts'
import { titleOf } from '@songhua/node/cli/titles/code-titles'
import { errorLine, titledMessage } from '@songhua/node/cli/titles/error-text'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { runCommand } from './in-process.js'
import { testFolder } from './support.js'

/** What is said in Chinese of errors whose messages are English. */

const root = resolve(import.meta.dirname, '../..')
const at = await testFolder()

/** Texts in capitals that are no codes of errors: fields of forms, variables, events, codes of libraries. */
const NO_CODES = [
  /^(XK|CF)_/, /^SONGHUA_/, /^(ERR|FST|WS|HPE)_/, /^DISPLAY_/, /_OK$/,
  // What suspends a webhook, or keeps or ends a connection, is said in the log alone.
  /^(HOST_CONNECTIONS|HOST_RATE|CONNECTION_RATE|PENDING_CONNECTIONS|KEY_REVOKED|READ_LOST|RECEIVER_GONE|CONNECTION_CLOSED|CONNECTION_LOST|CLOSED_BEFORE_HANDSHAKE|WEBSOCKET_CLOSED|WEBSOCKET_BROKEN)$/,
  // Of the machine for contracts, and of records, whose violations have texts of their own.
  /^(OUT_OF_GAS|INVALID_INPUTS|STEP_LIMIT|STEP_UNEXPECTED|STEP_NOT_REACHED|PERSONAL_DATA|TOO_DEEP|TOO_MANY_VALUES|UNKNOWN_FIELD|DATE_ORDER|FUTURE_DATE)$/,
]

/** Every text in the sources that looks like a code. */
function codesOfSources(): Map<string, string> {
  const files = ['node/src', 'sdk/src'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')).map((name) => join(root, folder, name)))
  const found = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g)].map(([, code]) => [code!, file] as const))
  return new Map(found)
}

beforeAll(async () => {
  await writeFile(at('password'), 'right password\n')
  expect((await runCommand(['init', '--data', at('node'), '--key-password-file', at('password')])).code).toBe(0)
})

describe('a title', () => {
  it('has every code of the sources: a new one needs a line in cli/titles', () => {
    const codes = codesOfSources()
    expect(codes.size).toBeGreaterThan(400)
    const bare = [...codes].filter(([code]) => !NO_CODES.some((one) => one.test(code)) && !Object.hasOwn(FINDING_TEXTS, code) && titleOf(code) === undefined)
    expect(bare).toEqual([])
  })

  it('is short, Chinese, and no sentence', () => {
    for (const code of codesOfSources().keys()) {
      const title = titleOf(code)
      if (title !== undefined) expect([code, title]).toEqual([code, expect.stringMatching(/^(?=.*\p{Script=Han})[^。]{3,45}$/u)])
    }
    expect([titleOf('NO_SUCH_CODE'), titleOf('toString')]).toEqual([undefined, undefined])
  })

  it('stands before an English message, not before a Chinese one, and never in English', () => {
    const english = 'the chain database in /data/松花江 is damaged; run "修复"'
    expect(titledMessage('zh', 'STORE_DAMAGED', english)).toBe(`链数据库已损坏。${english}`)
    for (const chinese of ['数据目录 /a/b：非空', 'http://127.0.0.1:8545：无应答（ECONNREFUSED）', '/a/b：是文件；--data 应为节点数据目录']) {
      expect(titledMessage('zh', 'STORE_DAMAGED', chinese)).toBe(chinese)
    }
    expect([titledMessage('en', 'STORE_DAMAGED', english), titledMessage('zh', 'NO_SUCH_CODE', english)]).toEqual([english, english])
    const say = (language: 'en' | 'zh', error: Error): string => errorLine({ language, t: createTranslator(language) }, error)
    expect(say('en', new CodedError('STORE_DAMAGED', english))).toBe(`songhua: error STORE_DAMAGED: ${english}`)
    expect(say('zh', new Error('boom'))).toBe('songhua: 错误：boom')
  })
})

describe('an error under --lang zh', () => {
  const linesOf = async (words: string[]): Promise<[string, string, string]> => {
    const { line, message } = await runCommand(words, { language: 'zh' })
    return [line, (await runCommand(words)).line, message]
  }

  it('of the configuration', async () => {
    await mkdir(at('odd'))
    await writeFile(join(at('odd'), 'songhua.json'), '{ "nothing": 1 }')
    const [zh, en, message] = await linesOf(['start', '--data', at('odd')])
    expect(zh).toBe(`songhua: 错误：CONFIG_UNKNOWN_OPTION：配置中有未知选项。${message}`)
    expect(en).toBe(`songhua: error CONFIG_UNKNOWN_OPTION: ${message}`)
  })

  it('of a roster and of a genesis', async () => {
    await writeFile(at('roster.json'), '{ "validators": 7 }')
    const [zh, en, message] = await linesOf(['genesis', '--roster', at('roster.json'), '--out', at('genesis.json')])
    expect(zh).toMatch(/^songhua: 错误：JSON_[A-Z_]+：文件[^。]+。[ -~]+$/)
    expect(en).toMatch(/^songhua: error JSON_[A-Z_]+: /)
    expect(en.endsWith(message)).toBe(true)
    await writeFile(at('wrong.json'), '{ "config": 1 }')
    expect((await linesOf(['start', '--data', at('node'), '--genesis', at('wrong.json')]))[0]).toMatch(/^songhua: 错误：JSON_[A-Z_]+：文件[^。]+。\/.*wrong\.json: /)
  })

  it('of a backup', async () => {
    await mkdir(at('no-backup'))
    await writeFile(join(at('no-backup'), 'readme.txt'), 'x')
    const [zh] = await linesOf(['restore', '--check', '--from', at('no-backup'), '--keys-from', at('no-backup')])
    expect(zh).toMatch(/^songhua: 错误：BACKUP_[A-Z_]+：[^。]*备份[^。]*。/)
  })

  it('of an API key', async () => {
    const [zh] = await linesOf(['apikey', 'revoke', 'nothing', '--data', at('node')])
    expect(zh).toMatch(/^songhua: 错误：API_KEY_UNKNOWN：没有这个 API 密钥。/)
  })

  it('of a question to the chain', async () => {
    const [zh] = await linesOf(['audit', '--node', 'x', '--rpc', 'http://127.0.0.1:9'])
    expect(zh).toMatch(/^songhua: 错误：OPTION_INVALID：参数无效。/)
    expect(await readFile(at('password'), 'utf8')).toContain('right')
  })
})
