// A licence department puts what it has decided on the chain: README.md tells the story.
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect, filesOf, isAnchored, isRefused, payloadJson, reasonOf } from '@songhua/sdk'
import { PENALTY } from './penalty.js'

const { SONGHUA_GATEWAY: gateway, SONGHUA_API_KEY: apiKey, OUT: out = 'out' } = process.env
if (!gateway || !apiKey) throw new Error('Set SONGHUA_GATEWAY (URL of a gateway) and SONGHUA_API_KEY')

const songhua = await connect({ gateway, apiKey })
const read = (name: string): Promise<Buffer> => readFile(new URL(`../data/${name}`, import.meta.url))
const mapping = JSON.parse((await read('mapping.json')).toString()) as Record<string, string>

// Whoever verifies needs to know which chain is meant: its trust anchor. In earnest it comes by another way than from
// the gateway whose word it is to check: from the chain's operators, or a newspaper.
const trustAnchor = await songhua.trustAnchor()
await mkdir(out, { recursive: true })
await writeFile(`${out}/trust-anchor.json`, JSON.stringify(trustAnchor))

/** Anchors one export as the legacy system wrote it; what it prints is what a clerk would want to see. */
async function anchorFile(name: string): Promise<string[]> {
  const table = await read(name)
  // The same file is the same submission, however often it is sent.
  const idempotencyKey = createHash('sha256').update(table).digest('hex')
  const order = { schema: 'government.licence', mapping, charset: 'gb18030', idempotencyKey, partial: true } as const
  const rows = await songhua.records.anchorTable(table, order)
  const refused = rows.filter(isRefused)
  const anchored = rows.filter(isAnchored)
  console.log(`${name}: ${anchored.length} anchored 已上链, ${refused.length} refused 未接收`)
  for (const { row, refusal } of refused) {
    for (const { column = '', zh, en } of refusal.violations) console.log(`  row 第 ${row} 行 [${column}] ${zh} / ${en}`)
  }
  for (const record of anchored) {
    const verdict = await songhua.records.verify(record.evidence, { ...record, trustAnchor })
    if (!verdict.valid) throw new Error(`${record.id} is not proved: ${reasonOf(verdict)}`)
    // The evidence may be given to anybody; payload and salt to whom the record is for.
    for (const [file, text] of Object.entries(filesOf(record))) await writeFile(`${out}/${file}`, text)
  }
  return anchored.map(({ id }) => id)
}

// 1. The month's export as it is, then the corrected rows.
const first = await anchorFile('licences-2025-03.csv')
const corrected = await anchorFile('licences-2025-03-corrected.csv')
console.log(`verified and kept 已验证并留存: ${first.length + corrected.length} × evidence, payload, salt in ${out}`)

// 2. Somebody at the counter shows a licence: what was it, exactly?
const subject = { kind: 'public', scheme: 'uscc', id: PENALTY.CF_XDR_SHXYM! } as const
for await (const { id, envelope } of songhua.records.find({ subject, schema: 'government.licence' })) {
  const { payload } = await songhua.records.payload(id)
  const licence = payloadJson<'government.licence'>(payload)
  console.log(`licence 许可 ${licence.XK_XKZS}, valid until 有效期至 ${licence.XK_YXQZI}, anchored 上链 ${envelope.createdAt}`)
}

// 3. A month later the same company is fined: 行政处罚.
const penalty = await songhua.records.anchor({ schema: 'government.penalty', payload: PENALTY })
const { facts } = await songhua.records.verify(penalty.evidence, { ...penalty, trustAnchor })
console.log(`penalty 处罚 ${PENALTY.CF_WSH}: record ${penalty.id} proved since block 区块 ${facts?.block.number}`)
