import type { OrganisationApplied } from '@songhua/sdk/governance'
import { ORGANISATION_KIND_WORDS } from '@songhua/sdk/governance/words'
import { type CliContext, print } from '../context.js'
import type { RpcFlags } from '../rpc-flags.js'
import { formatTable } from '../table.js'
import { beijingTime } from './beijing-time.js'
import { hashFile } from './hash-file.js'
import { organisationName, toJson } from './names.js'
import { type SignerFlags, connectChain, openActor } from './signer-flags.js'
import { createTeller } from './texts.js'

export type ContactFlags = RpcFlags & SignerFlags & { contactFile: string }

const TEXTS = {
  contact: { en: 'The contact data of {name} ({uscc}) are those with the hash {hash}, from block {block} on.', zh: '{name}（{uscc}）的联系信息哈希为 {hash}（区块 {block}）。' },
  name: { en: 'name', zh: '名称' },
  uscc: { en: 'credit code', zh: '信用代码' },
  kind: { en: 'kind', zh: '类别' },
  administrator: { en: 'administrator', zh: '管理员账户' },
  sender: { en: 'sent by', zh: '提交账户' },
  appliedAt: { en: 'applied', zh: '申请时间' },
  documents: { en: 'hash of the documents', zh: '文件清单哈希' },
  none: { en: 'no open applications', zh: '没有未决申请' },
} as const
const tell = createTeller(TEXTS)

export async function setContact(context: CliContext, flags: ContactFlags): Promise<void> {
  const contactHash = await hashFile(context, 'contactFile', flags.contactFile)
  const { governance, key } = await openActor(context, flags)
  const { hash: transactionHash, blockNumber } = await governance.setContactHash(contactHash)
  const uscc = (await governance.account(key.address))?.uscc ?? ''
  if (flags.json) return print(context, toJson({ transactionHash, blockNumber, uscc, contactHash }))
  const organisation = await governance.organisation(uscc)
  const name = organisation === undefined ? uscc : organisationName(organisation, context.language)
  print(context, tell(context, 'contact', { name, uscc, hash: contactHash, block: blockNumber }))
}

/** What is open: of organisations that the register does not know. */
export async function listApplications(context: CliContext, flags: RpcFlags): Promise<void> {
  const governance = await connectChain(context, flags)
  const [applied, organisations] = await Promise.all([governance.organisationApplications(), governance.organisations()])
  const known = new Set(organisations.map(({ uscc }) => uscc))
  const open = applied.filter(({ entry }) => !known.has(entry.uscc))
  if (flags.json) return print(context, toJson(open))
  if (open.length === 0) return print(context, tell(context, 'none'))
  const headings = (['name', 'uscc', 'kind', 'administrator', 'sender', 'appliedAt', 'documents'] as const).map((key) => tell(context, key))
  print(context, formatTable(headings, open.map((one) => applicationRow(context, one))))
}

function applicationRow({ language }: CliContext, { entry, sender, appliedAt, documentsHash }: OrganisationApplied): string[] {
  const time = appliedAt === undefined ? '–' : beijingTime(appliedAt)
  return [organisationName(entry, language), entry.uscc, ORGANISATION_KIND_WORDS[entry.kind][language], entry.administrator, sender, time, documentsHash]
}
