import type { RecordSchema } from '../record-schema.js'
import {
  PERSON_TYPES, amount, choice, count, date, formatted, listOf, longText, pastDate, pastTime, sha256Hex, sm3Hex, text,
  uscc,
} from './fields.js'

/** Government records: 双公示 (行政许可 and 行政处罚) with its field codes, documents, and evidence for courts. */

/** The person concerned 相对人, by the prefix of the field codes; organisations by their code, people by a document. */
const personFields = <P extends 'XK' | 'CF'>(prefix: P) => {
  const fields = {
    XDR_MC: text('行政相对人名称', 'name of the person concerned'),
    XDR_TYPE: choice('行政相对人类别', 'kind of person concerned', PERSON_TYPES),
    XDR_SHXYM: uscc('统一社会信用代码', 'unified social credit code'),
    XDR_GSZC: text('工商注册号', 'business registration number'),
    XDR_ZZJG: text('组织机构代码', 'organisation code'),
    XDR_SWDJ: text('税务登记号', 'tax registration number'),
    XDR_SYDW: text('事业单位证书号', 'public institution certificate number'),
    XDR_SHZZ: text('社会组织登记证号', 'social organisation certificate number'),
    FRDB: text('法定代表人', 'legal representative'),
    FR_SFZH: formatted('法定代表人身份证号', 'citizen number of the legal representative', 'citizen-id'),
    XDR_ZJLX: text('证件类型', 'kind of identity document'),
    XDR_ZJHM: text('证件号码', 'number of the identity document'),
  } as const
  return Object.fromEntries(Object.entries(fields).map(([code, field]) => [`${prefix}_${code}`, field])) as {
    [K in keyof typeof fields as `${P}_${K}`]: (typeof fields)[K]
  }
}

const personRules = (prefix: 'XK' | 'CF') => {
  const kind = `${prefix}_XDR_TYPE`
  const document = formatted('证件号码', 'number of the identity document', 'citizen-id')
  return [
    {
      if: { required: [kind], properties: { [kind]: { const: '自然人' } } },
      then: { required: [`${prefix}_XDR_ZJLX`, `${prefix}_XDR_ZJHM`] },
    },
    {
      if: { required: [kind], properties: { [kind]: { enum: PERSON_TYPES.slice(0, 2) } } },
      then: { required: [`${prefix}_XDR_SHXYM`, `${prefix}_FRDB`] },
    },
    {
      if: { required: [`${prefix}_XDR_ZJLX`], properties: { [`${prefix}_XDR_ZJLX`]: { const: '身份证' } } },
      then: { properties: { [`${prefix}_XDR_ZJHM`]: document } },
    },
  ]
}

export const licence = {
  id: 'government.licence',
  version: '1',
  title: { zh: '行政许可', en: 'administrative licence' },
  retention: 'permanent',
  subjects: ['public', 'commitment'],
  subjectField: { field: 'XK_XDR_SHXYM', scheme: 'uscc' },
  schema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    title: '行政许可',
    'x-en': 'administrative licence',
    properties: {
      ...personFields('XK'),
      XK_XKWS: text('行政许可决定文书名称', 'name of the decision'),
      XK_WSH: text('行政许可决定文书号', 'number of the decision'),
      XK_XKLB: text('许可类别', 'kind of licence'),
      XK_XKZS: text('许可证书名称', 'name of the certificate'),
      XK_XKBH: text('许可编号', 'number of the licence'),
      XK_NR: longText('许可内容', 'what is licensed'),
      XK_JDRQ: pastDate('许可决定日期', 'date of the decision'),
      XK_YXQZ: date('有效期自', 'valid from'),
      XK_YXQZI: date('有效期至', 'valid until'),
      XK_XKJG: text('许可机关', 'authority'),
      XK_XKJGDM: uscc('许可机关统一社会信用代码', 'code of the authority'),
      XK_ZT: text('当前状态', 'present state', 20),
      XK_LYDW: text('数据来源单位', 'source of the data'),
      XK_LYDWDM: uscc('数据来源单位统一社会信用代码', 'code of the source'),
      BZ: longText('备注', 'remarks'),
    },
    required: [
      'XK_XDR_MC', 'XK_XDR_TYPE', 'XK_XKWS', 'XK_WSH', 'XK_XKLB', 'XK_NR', 'XK_JDRQ', 'XK_YXQZ', 'XK_YXQZI',
      'XK_XKJG', 'XK_XKJGDM', 'XK_ZT', 'XK_LYDW', 'XK_LYDWDM',
    ],
    additionalProperties: false,
    allOf: personRules('XK'),
    'x-dateOrder': [['XK_YXQZ', 'XK_YXQZI'], ['XK_JDRQ', 'XK_YXQZI']],
  },
} as const satisfies RecordSchema

export const penalty = {
  id: 'government.penalty',
  version: '1',
  title: { zh: '行政处罚', en: 'administrative penalty' },
  retention: 'permanent',
  subjects: ['public', 'commitment'],
  subjectField: { field: 'CF_XDR_SHXYM', scheme: 'uscc' },
  schema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    title: '行政处罚',
    'x-en': 'administrative penalty',
    properties: {
      ...personFields('CF'),
      CF_WSH: text('行政处罚决定文书号', 'number of the decision'),
      CF_WFXW: longText('违法行为类型', 'kind of offence'),
      CF_SY: longText('违法事实', 'facts'),
      CF_YJ: longText('处罚依据', 'legal basis'),
      CF_CFLB: text('处罚类别', 'kind of penalty'),
      CF_NR: longText('处罚内容', 'what is imposed'),
      CF_NR_FK: amount('罚款金额（万元）', 'fine, in ten thousand yuan'),
      CF_NR_WFFF: amount('没收金额（万元）', 'confiscated, in ten thousand yuan'),
      CF_NR_ZKDX: text('暂扣或吊销证照名称及编号', 'licence suspended or revoked'),
      CF_JDRQ: pastDate('处罚决定日期', 'date of the decision'),
      CF_YXQ: date('处罚有效期', 'penalty ends'),
      CF_GSJZQ: date('公示截止期', 'publication ends'),
      CF_CFJG: text('处罚机关', 'authority'),
      CF_CFJGDM: uscc('处罚机关统一社会信用代码', 'code of the authority'),
      CF_SJLY: text('数据来源单位', 'source of the data'),
      CF_SJLYDM: uscc('数据来源单位统一社会信用代码', 'code of the source'),
      BZ: longText('备注', 'remarks'),
    },
    required: [
      'CF_XDR_MC', 'CF_XDR_TYPE', 'CF_WSH', 'CF_WFXW', 'CF_SY', 'CF_YJ', 'CF_CFLB', 'CF_NR', 'CF_JDRQ', 'CF_CFJG',
      'CF_CFJGDM', 'CF_SJLY', 'CF_SJLYDM',
    ],
    additionalProperties: false,
    allOf: [
      ...personRules('CF'),
      {
        if: { required: ['CF_CFLB'], properties: { CF_CFLB: { pattern: '罚款' } } },
        then: { required: ['CF_NR_FK'], properties: { CF_NR_FK: amount('罚款金额（万元）', 'fine, in ten thousand yuan') } },
      },
    ],
    'x-dateOrder': [['CF_JDRQ', 'CF_YXQ'], ['CF_JDRQ', 'CF_GSJZQ']],
  },
} as const satisfies RecordSchema

/** A file that stays where it is; the record holds its digests. */
const fileFields = {
  name: text('文件名称', 'name of the file'),
  mediaType: { ...text('媒体类型', 'media type'), pattern: '^[a-z]+/[A-Za-z0-9.+-]+$' },
  sizeBytes: count('字节数', 'size in bytes'),
  sha256: sha256Hex,
  sm3: sm3Hex,
} as const

export const document = {
  id: 'government.document',
  version: '1',
  title: { zh: '文书存证', en: 'document evidence' },
  retention: '30y',
  subjects: ['public', 'commitment'],
  schema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    title: '文书存证',
    'x-en': 'document evidence',
    properties: {
      ...fileFields,
      documentNumber: text('文书号', 'number of the document'),
      documentType: text('文书类别', 'kind of document'),
      issuedOn: pastDate('签发日期', 'date of issue'),
      validUntil: date('有效期至', 'valid until'),
      issuedBy: text('签发单位', 'issuing body'),
      summary: longText('摘要', 'summary'),
    },
    required: ['name', 'mediaType', 'sizeBytes', 'sha256', 'documentType', 'issuedOn', 'issuedBy'],
    additionalProperties: false,
    'x-dateOrder': [['issuedOn', 'validUntil']],
  },
} as const satisfies RecordSchema

/** What 人民法院在线诉讼规则 asks of blockchain evidence (articles 16 to 18): source, making, environment, keeping. */
export const judicialEvidence = {
  id: 'government.judicial-evidence',
  version: '1',
  title: { zh: '司法存证', en: 'judicial evidence' },
  retention: 'permanent',
  subjects: ['public', 'commitment'],
  schema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    title: '司法存证',
    'x-en': 'judicial evidence',
    properties: {
      ...fileFields,
      evidenceType: choice('证据类别', 'kind of evidence', ['网页', '电子邮件', '即时通信', '交易数据', '影像', '日志', '文书', '其他']),
      caseNumber: text('案号', 'case number'),
      source: longText('数据来源', 'source of the data'),
      generation: longText('生成机制', 'how the data come into being'),
      operator: text('取证人', 'who captured it'),
      operatorOrganisation: uscc('取证单位统一社会信用代码', 'code of the capturing organisation'),
      captureStartedAt: pastTime('取证开始时间', 'capture began'),
      captureEndedAt: pastTime('取证结束时间', 'capture ended'),
      storageProcess: longText('存储过程', 'how it has been kept'),
      platformFilingNumber: text('区块链信息服务备案编号', 'filing number of the blockchain service'),
      relatedRecords: listOf('关联记录', 'corroborating records', formatted('记录编号', 'record id', 'uuid')),
      environment: {
        type: 'object',
        title: '取证环境',
        'x-en': 'capture environment',
        properties: {
          system: text('操作系统', 'operating system'),
          software: text('取证软件及版本', 'capture software and version'),
          device: text('取证设备', 'device'),
          network: text('网络环境', 'network'),
          addressVisited: formatted('访问地址', 'address visited', 'uri'),
          clockSource: text('校时来源', 'clock source'),
          cleanlinessCheck: longText('清洁性检查', 'check that the system was clean'),
          screenRecordingSha256: sha256Hex,
        },
        required: ['system', 'software', 'network', 'clockSource', 'cleanlinessCheck'],
        additionalProperties: false,
      },
    },
    required: [
      'name', 'mediaType', 'sizeBytes', 'sha256', 'evidenceType', 'source', 'generation', 'operator',
      'captureStartedAt', 'captureEndedAt', 'storageProcess', 'environment',
    ],
    additionalProperties: false,
    'x-dateOrder': [['captureStartedAt', 'captureEndedAt']],
  },
} as const satisfies RecordSchema
