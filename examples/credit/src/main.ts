// A public-credit bureau and, apart from it, credit reporting by consent. README.md tells the story.
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from '@songhua/sdk'
import { creditReporting } from './credit-reporting.js'
import { publicCredit } from './public-credit.js'

const { SONGHUA_GATEWAY: gateway, SONGHUA_API_KEY: apiKey, OUT: out = 'out' } = process.env
if (!gateway || !apiKey) throw new Error('Set SONGHUA_GATEWAY (URL of a gateway) and SONGHUA_API_KEY')

const songhua = await connect({ gateway, apiKey })
const trustAnchor = await songhua.trustAnchor()
await mkdir(out, { recursive: true })
await writeFile(`${out}/trust-anchor.json`, JSON.stringify(trustAnchor))

/** The same key for the same person gives the same commitment: made once, kept secret. */
async function commitmentKey(): Promise<{ id: string; secret: Uint8Array }> {
  const file = `${out}/commitment-key`
  const made = await writeFile(file, randomBytes(32), { flag: 'wx', mode: 0o600 }).then(() => true, () => false)
  console.log(made ? `commitment key made 已生成主体密钥: ${file}` : `commitment key 主体密钥: ${file}`)
  return { id: 'credit-2025', secret: await readFile(file) }
}

console.log('— public credit 公共信用 —')
await publicCredit(songhua)
console.log('— credit reporting 征信 —')
const entry = await creditReporting(songhua, await commitmentKey(), trustAnchor)
await writeFile(`${out}/${entry.id}.evidence.json`, JSON.stringify(entry.evidence))
