import { randomBytes } from 'node:crypto'
import { gs1Subject } from '@songhua/sdk/records/subject'

/** Records without end, of three families, each different, all made up. */

const BUREAU = '11230100MB10000107'
const COMPANY = '91110000600037341L'

export interface SampleRecord {
  schema: string
  payload: Record<string, unknown>
  subject?: ReturnType<typeof gs1Subject>
}

export function licenceRecord(number: number): SampleRecord {
  return {
    schema: 'government.licence',
    payload: {
      XK_XDR_MC: '黑龙江省松花示范食品有限公司',
      XK_XDR_TYPE: '法人及非法人组织',
      XK_XDR_SHXYM: COMPANY,
      XK_FRDB: '张示范',
      XK_XKWS: '食品经营许可决定书',
      XK_WSH: `哈食经许字〔2026〕第${String(number).padStart(7, '0')}号`,
      XK_XKLB: '普通',
      XK_XKZS: '食品经营许可证',
      XK_XKBH: `JY1230${String(number).padStart(10, '0')}`,
      XK_NR: '预包装食品（含冷藏冷冻食品）销售',
      XK_JDRQ: '2026-01-05',
      XK_YXQZ: '2026-01-05',
      XK_YXQZI: '2031-01-04',
      XK_XKJG: '哈尔滨市示范行政审批机关',
      XK_XKJGDM: BUREAU,
      XK_ZT: '有效',
      XK_LYDW: '哈尔滨市示范行政审批机关',
      XK_LYDWDM: BUREAU,
    },
  }
}

/** No two are the same event, also in later runs. */
export function eventRecord(number: number): SampleRecord {
  const epc = `urn:epc:id:sgtin:6901234.${String(number % 1_000_000).padStart(6, '0')}.${randomBytes(6).toString('hex')}`
  return {
    schema: 'trace.object-event',
    payload: {
      type: 'ObjectEvent',
      eventTime: '2026-10-01T08:00:00.000+08:00',
      eventTimeZoneOffset: '+08:00',
      epcList: [epc],
      action: 'OBSERVE',
      bizStep: 'shipping',
      disposition: 'in_transit',
      readPoint: { id: 'urn:epc:id:sgln:6901234.00001.0' },
    },
    subject: gs1Subject(epc),
  }
}

export function promiseRecord(number: number): SampleRecord {
  return {
    schema: 'credit.public.promise',
    payload: {
      name: '黑龙江省松花示范食品有限公司',
      personType: '法人及非法人组织',
      uscc: COMPANY,
      promiseType: '证明事项型',
      content: `第 ${number} 项：所提交材料真实、合法、有效`,
      promisedOn: '2026-03-01',
      fulfilment: '履行中',
      acceptedBy: '哈尔滨市示范行政审批机关',
      acceptedByCode: BUREAU,
    },
  }
}

const KINDS = [licenceRecord, eventRecord, promiseRecord]

export function sampleRecord(number: number): SampleRecord {
  return KINDS[number % KINDS.length]!(number)
}
