import { wordToLevels } from '@songhua/sdk/governance/codes'
import type { MotionArguments, MotionKind } from '@songhua/sdk/governance/motions'

const uscc = '91230100MA00000231'
const node = '0x1111111111111111111111111111111111111111'
const account = '0x2222222222222222222222222222222222222222'
const hash = `0x${'ab'.repeat(32)}` as const

/** Arguments of every kind, with every field. */
export const MOTION_SAMPLES: { readonly [K in MotionKind]: Required<MotionArguments[K]> } = {
  admitOrganisation: {
    uscc, kind: 'bank', roles: ['anchor', 'read'], nameZh: '冰城银行', nameEn: 'Ice City Bank', contactHash: hash, administrator: account,
    gasPerDay: 50_000_000n, bytesPerDay: 2_000_000n,
  },
  suspendOrganisation: { uscc },
  reinstateOrganisation: { uscc },
  setOrganisationRights: { uscc, roles: ['anchor', 'administer'], gasPerDay: 1n, bytesPerDay: 2n },
  replaceAdministrator: { uscc, administrator: account },
  seat: { uscc },
  unseat: { uscc },
  admitNode: { node, applicationHash: hash },
  suspendNode: { node, reasonHash: hash },
  reinstateNode: { node },
  retireNode: { node },
  issueAcCode: { node, acCode: 'hrb1' },
  withdrawAcCode: { acCode: 'hrb1' },
  setNodeBodies: { node, government: '11230000MB0000019P', telecom: '91230100MA00000156', operator: uscc },
  changeValidators: { added: [node], removed: [account], height: 1_000 },
  setNewcomers: { roles: ['apply'], gasPerDay: 3n, bytesPerDay: 4n, gasPerDayTotal: 5n, bytesPerDayTotal: 6n },
  setReadLevels: { levels: { ...wordToLevels(0n), eth: 'public', debug: 'members' } },
  setReader: { reader: account, doors: ['debug', 'credit'] },
  setParameters: { minValidators: 4, validatorNotice: 2, protocolNotice: 100, motionLifetime: 604_800 },
  scheduleProtocol: { version: 2, height: 9_000 },
  cancelProtocol: {},
  setThreshold: { kind: 'seat', permille: 700 },
  handOver: { successor: account },
  cancelValidatorChange: {},
}
