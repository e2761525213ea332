import type { PayloadBySchema } from '@songhua/sdk'

/** 行政处罚 in the fields of 双公示; the compiler knows which there are, and what they hold. */
export const PENALTY: PayloadBySchema['government.penalty'] = {
  CF_XDR_MC: '呼兰河示范乳业有限公司（虚构）',
  CF_XDR_TYPE: '法人及非法人组织',
  CF_XDR_SHXYM: '91230111EXAMPL055N',
  CF_FRDB: '周示范',
  CF_WSH: '哈示市监处罚〔2025〕第17号',
  CF_WFXW: '违反食品标签管理规定',
  CF_SY: '当事人生产的 3 批次灭菌乳外包装未标注致敏物质提示，货值金额 11 200 元，已全部召回。',
  CF_YJ: '《中华人民共和国食品安全法》第一百二十五条第一款第（二）项',
  CF_CFLB: '罚款;没收违法所得',
  CF_NR: '没收违法所得 1 860 元；罚款 25 000 元',
  CF_NR_FK: 2.5,
  CF_NR_WFFF: 0.186,
  CF_JDRQ: '2025-04-18',
  CF_GSJZQ: '2026-04-18',
  CF_CFJG: '哈尔滨市示范区市场监督管理局（虚构）',
  CF_CFJGDM: '11230199EXAMPLE2X5',
  CF_SJLY: '哈尔滨市示范区市场监督管理局（虚构）',
  CF_SJLYDM: '11230199EXAMPLE2X5',
}
