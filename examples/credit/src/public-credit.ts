// 公共信用: what authorities publish of companies. The subject is the company's public code.
import { type GatewayConnection, type PayloadBySchema, isSonghuaError } from '@songhua/sdk'

const COMPANY = {
  name: '松花示范建材有限公司（虚构）',
  personType: '法人及非法人组织',
  uscc: '91230103EXAMPLC27B',
} as const
const MARKET = { authority: '哈尔滨市示范区市场监督管理局（虚构）', authorityCode: '11230199EXAMPLE2X5' } as const

const PROMISE: PayloadBySchema['credit.public.promise'] = {
  ...COMPANY,
  promiseType: '审批替代型',
  content: '承诺已符合预拌混凝土专业承包资质的全部许可条件，所报材料真实有效。',
  consequences: '如有虚假，愿接受撤销许可、记入信用记录并公示。',
  promisedOn: '2024-01-15',
  fulfilment: '未履行',
  acceptedBy: '哈尔滨市示范区行政审批局（虚构）',
  acceptedByCode: '11230199EXAMPLE11D',
}

const LISTING: PayloadBySchema['credit.public.serious-listing'] = {
  ...COMPANY,
  ...MARKET,
  listName: '市场监督管理严重违法失信名单',
  decisionNumber: '哈示市监严列〔2024〕第3号',
  reason: '提交虚假材料取得行政许可，许可被撤销。',
  legalBasis: '《市场监督管理严重违法失信名单管理办法》第九条第（一）项',
  listedOn: '2024-02-20',
  publicationEndsOn: '2027-02-20',
}

const repairOf = (listing: string): PayloadBySchema['credit.public.repair'] => ({
  ...COMPANY,
  ...MARKET,
  repairedRecord: listing,
  gravity: '严重',
  publishedOn: LISTING.listedOn,
  appliedOn: '2025-03-03',
  repairedOn: '2025-03-20',
  correction: '已停止承揽、缴清罚款，并按规定重新取得资质。',
  promise: '承诺今后如实申报，自觉接受监督。',
  decisionNumber: '哈示市监信修〔2025〕第11号',
})

const INCENTIVE: PayloadBySchema['credit.public.incentive'] = {
  name: '太阳岛示范园林有限公司（虚构）',
  personType: '法人及非法人组织',
  uscc: '91230109EXAMPLC35W',
  authority: '哈尔滨市示范区税务局（虚构）',
  authorityCode: '11230199EXAMPLT174',
  honour: '纳税信用 A 级纳税人',
  reviewYear: 2024,
  measures: ['出口退税绿色通道', '容缺受理', '降低检查频次'],
  decidedOn: '2025-04-10',
}

export async function publicCredit({ records }: GatewayConnection): Promise<void> {
  const promise = await records.anchor({ schema: 'credit.public.promise', payload: PROMISE })
  console.log(`promise 信用承诺 ${promise.id}`)
  const listing = await records.anchor({ schema: 'credit.public.serious-listing', payload: LISTING })
  console.log(`serious listing 严重失信 ${listing.id}`)

  // Nothing is deleted: the repair supersedes the listing, and both stay provable.
  const repair = { schema: 'credit.public.repair', payload: repairOf(listing.id), supersedes: listing.id } as const
  try {
    await records.anchor({ ...repair, payload: { ...repair.payload, repairedOn: '2024-12-20', appliedOn: '2024-12-01' } })
  } catch (error) {
    if (!isSonghuaError(error, 'RECORD_INVALID')) throw error
    for (const { zh, en } of error.violations) console.log(`repair refused 修复被拒: ${zh} / ${en}`)
  }
  console.log(`repair 信用修复 ${(await records.anchor(repair)).id} supersedes 取代 ${listing.id}`)
  console.log(`incentive 守信激励 ${(await records.anchor({ schema: 'credit.public.incentive', payload: INCENTIVE })).id}`)

  // A citizen number among public fields: refused before anything is written.
  const subject = { kind: 'public', scheme: 'number', id: '230103190001010014' } as const
  const { uscc: _organisation, ...person } = { ...PROMISE, name: '张示范', personType: '自然人' as const }
  try {
    await records.anchor({ schema: 'credit.public.promise', subject, payload: person })
    throw new Error('a citizen number went through')
  } catch (error) {
    if (!isSonghuaError(error, 'RECORD_INVALID')) throw error
    for (const { zh, en } of error.violations) console.log(`person refused 个人号码被拒: ${zh} / ${en}`)
  }
}
