// Four companies anchor what they saw of one lot of Wuchang rice; a buyer traces a bag. README.md tells the story.
import { mkdir, writeFile } from 'node:fs/promises'
import { type GatewayConnection, connect, gs1Subject, isRefused, isSonghuaError } from '@songhua/sdk'
import { describeEvent, readEvents, readPlaces, recordOf } from './epcis.js'
import { traceBack } from './trace.js'

const { SONGHUA_GATEWAY: gateway, SONGHUA_API_KEY: apiKey, OUT: out = 'out' } = process.env
if (!gateway || !apiKey) throw new Error('Set SONGHUA_GATEWAY (URL of a gateway) and SONGHUA_API_KEY')

const COMPANIES = [
  { name: '水稻合作社 growers', document: '1-growers', key: process.env.SONGHUA_API_KEY_GROWERS },
  { name: '米业公司 mill', document: '2-mill', key: process.env.SONGHUA_API_KEY_MILL },
  { name: '物流公司 carrier', document: '3-carrier', key: process.env.SONGHUA_API_KEY_CARRIER },
  { name: '超市 shop', document: '4-shop', key: process.env.SONGHUA_API_KEY_SHOP },
]

/** Streams one company's events to the chain; an event that is there already is not anchored twice. */
async function anchorEvents(songhua: GatewayConnection, document: string): Promise<string> {
  const counts = { anchored: 0, known: 0 }
  const records = (await readEvents(document)).map(recordOf)
  for await (const outcome of songhua.records.anchorMany(records, { partial: true })) {
    if (!isRefused(outcome)) counts.anchored++
    else if (outcome.refusal.code === 'RECORD_DUPLICATE') counts.known++
    else throw new Error(`event ${outcome.row} of ${document}: ${outcome.refusal.message}`)
  }
  return `${counts.anchored} events anchored 已上链, ${counts.known} known 已存在`
}

// 1. Each company writes with its own key; a trial with one key for all works as well.
for (const { name, document, key = apiKey } of COMPANIES) {
  console.log(`${name}: ${await anchorEvents(await connect({ gateway, apiKey: key }), document)}`)
}

// 2. The growers' system sends an event once more, as systems do after a crash: its hash id tells.
const growers = await connect({ gateway, apiKey: COMPANIES[0]!.key ?? apiKey })
const [sowing] = await readEvents('1-growers')
try {
  await growers.records.anchor(recordOf(sowing!))
} catch (error) {
  if (!isSonghuaError(error, 'RECORD_DUPLICATE')) throw error
  console.log(`refused 拒收 ${error.code}: ${error.message}`)
}

// 3. What the code on the bag says: GTIN, lot and serial in one Digital Link.
const BAG = 'https://id.gs1.org/01/09520002000019/10/DXH20241106/21/000417'
const [lot] = BAG.split('/21/')
const buyer = await connect({ gateway, apiKey })
const trustAnchor = await buyer.trustAnchor({ checkpoint: 'head' })
const steps = await traceBack(buyer, [gs1Subject(BAG), gs1Subject(lot!)], trustAnchor)
const places = await readPlaces()
await mkdir(out, { recursive: true })
await writeFile(`${out}/trust-anchor.json`, JSON.stringify(trustAnchor))
console.log(`\n${BAG}`)
for (const { id, event, issuer, evidence, isWithdrawn } of steps) {
  await writeFile(`${out}/${id}.evidence.json`, JSON.stringify(evidence))
  const remark = event.errorDeclaration ? ' (error declaration 更正声明)' : isWithdrawn ? ' (withdrawn 已更正)' : ''
  console.log(`  ✓ ${describeEvent(event, places)}${remark}, block 区块 ${evidence.anchor.blockNumber}, ${issuer}`)
}
console.log(`${steps.length} events back to the field, all verified 全部验证通过; evidence in ${out}`)
