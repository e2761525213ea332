import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseGenesis } from '@songhua/sdk/protocol/genesis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freeBasePort, removeDir, tempDir } from '../support/devnet.js'
import { startExample } from './support.js'

let dir: string

beforeAll(async () => {
  dir = await tempDir('province')
})
afterAll(() => removeDir(dir))

describe('examples/province', () => {
  it('makes seven organisations, a super node and its cities, starts them, and passes a motion by four seats', async () => {
    const OUT = join(dir, 'out')
    const lines = await startExample('province', { OUT, CITIES: '3', BASE_PORT: String(await freeBasePort(4)) }, 280_000)
    expect(lines[0]).toMatch(/^7 organisations.*, 4 nodes/)
    expect(lines[1]).toMatch(/^4 nodes are at block 1/)
    expect(lines[2]).toMatch(/^motion executed in block \d+, known to all/)
    expect(parseGenesis(await readFile(join(OUT, 'genesis.json'), 'utf8'))).toMatchObject({ chainId: 230_000, validators: { length: 4 } })
  }, 300_000)
})
