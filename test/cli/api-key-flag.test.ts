import { writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { runCommand } from './in-process.js'
import { testFolder } from './support.js'

const at = await testFolder()
const KEY = 'shk_0123456789'
/** Of documentation (RFC 5737): nobody answers there. */
const ELSEWHERE = 'http://192.0.2.1:8545'

const COMMANDS = [
  ['status', '--rpc'], ['nodes', '--rpc'], ['audit', '--rpc'], ['council', 'motions', '--rpc'], ['organisations', '--rpc'], ['anchor-file', '--rpc'], ['usage', '--month', '2026-11', '--rpc'],
  ['anchor', at('records.json'), '--issued-by', 'uscc:11230000MB0000019P', '--gateway'],
] as const

describe('an API key of the environment', () => {
  it.each(COMMANDS.map((words) => [words[0], words]))('is not sent over http to another machine by %s, which says what to do', async (_name, words) => {
    await writeFile(at('records.json'), '[]')
    const run = (language: 'en' | 'zh') => runCommand([...words, ELSEWHERE], { language, environment: { SONGHUA_API_KEY: KEY } })
    const { code, message } = await run('en')
    expect([code, message]).toEqual([2, expect.stringMatching(/^SONGHUA_API_KEY is not sent to http:\/\/192\.0\.2\.1:8545.*https.*--api-key-file/)])
    expect((await run('zh')).message).toContain('不会把 SONGHUA_API_KEY 发往')
    expect(message).not.toContain(KEY)
  })

  it('is no reason to say anything else of an address that is none, or of two doors', async () => {
    const anchor = (...words: string[]) =>
      runCommand(['anchor', at('records.json'), '--issued-by', 'uscc:11230000MB0000019P', ...words], { environment: { SONGHUA_API_KEY: KEY } })
    for (const text of ['127.0.0.1:8548', 'localhost:8548']) {
      expect(await anchor('--gateway', text)).toMatchObject({ code: 2, error: 'CLI_USAGE', message: expect.stringMatching(/--gateway.*http/) as string })
    }
    expect(await anchor('--gateway', ELSEWHERE, '--rpc', ELSEWHERE)).toMatchObject({ code: 2, message: expect.stringContaining('give either --gateway') as string })
  })
})
