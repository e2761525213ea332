import type { CliContext } from '../context.js'
import { type Application, type DocumentEntry, hashDocuments, isSignatureRight, signerDue } from './application-file.js'
import { createTeller } from './texts.js'

export interface Check {
  readonly name: 'documentsHash' | 'signature' | 'document'
  /** Undefined for what could not be checked. */
  readonly isRight: boolean | undefined
  readonly text: string
}

const TEXTS = {
  hashRight: { en: 'documentsHash is that of the list of documents', zh: 'documentsHash 与文件清单一致' },
  hashWrong: { en: 'documentsHash is not that of the list of documents: the list, or the hash, was changed', zh: 'documentsHash 与文件清单不符：清单或哈希被改动' },
  signed: { en: 'signature: by the key of {signer}, over all that stands here', zh: '签名：由 {signer} 对以上全部内容所签' },
  notSigned: { en: 'signature: not by the key of {signer} over what stands here', zh: '签名：不是 {signer} 对以上内容所签' },
  unsigned: { en: 'signature: none; nothing shows that somebody holds the key of the administrator {signer}', zh: '签名：无；尚未证明管理员 {signer} 的私钥有人持有' },
  same: { en: 'document {name}: is the one that was applied with', zh: '文件 {name}：与申请时一致' },
  renamed: { en: 'document {name}: is the one that was applied with, handed over as {handed}', zh: '文件 {name}：与申请时一致（收到时名为 {handed}）' },
  differs: { en: 'document {name}: is not the one that was applied with; it has changed since', zh: '文件 {name}：与申请时不一致，内容已改变' },
  missing: { en: 'document {name}: was not handed over', zh: '文件 {name}：未收到' },
  foreign: { en: 'document {name}: does not belong to the application', zh: '文件 {name}：不属于该申请' },
  unseen: { en: 'document {name}: not checked; hand it over with --documents', zh: '文件 {name}：未核对；请用 --documents 给出' },
} as const
const tell = createTeller(TEXTS)

/** What can be said of a file by itself. */
export function checkApplication(context: CliContext, application: Application): Check[] {
  const isHashRight = hashDocuments(application.documents) === application.documentsHash
  const isRight = isSignatureRight(application)
  const signer = signerDue(application)
  const key = isRight === undefined ? 'unsigned' : isRight ? 'signed' : 'notSigned'
  return [
    { name: 'documentsHash', isRight: isHashRight, text: tell(context, isHashRight ? 'hashRight' : 'hashWrong') },
    { name: 'signature', isRight, text: tell(context, key, { signer }) },
  ]
}

/** The documents of an application against those that were handed over; undefined: none were. */
export function checkDocuments(context: CliContext, listed: readonly DocumentEntry[], handed: readonly DocumentEntry[] | undefined): Check[] {
  if (handed === undefined) return listed.map(({ name }) => ({ name: 'document', isRight: undefined, text: tell(context, 'unseen', { name }) }))
  const known = listed.map((entry) => checkDocument(context, entry, handed))
  const foreign = handed
    .filter(({ name, sha256 }) => !listed.some((one) => one.name === name || one.sha256 === sha256))
    .map(({ name }): Check => ({ name: 'document', isRight: false, text: tell(context, 'foreign', { name }) }))
  return [...known, ...foreign]
}

function checkDocument(context: CliContext, { name, sha256 }: DocumentEntry, handed: readonly DocumentEntry[]): Check {
  const sameBytes = handed.filter((one) => one.sha256 === sha256)
  const [first] = sameBytes
  const check = (isRight: boolean, text: string): Check => ({ name: 'document', isRight, text })
  if (sameBytes.some((one) => one.name === name)) return check(true, tell(context, 'same', { name }))
  if (first !== undefined) return check(true, tell(context, 'renamed', { name, handed: first.name }))
  return check(false, tell(context, handed.some((one) => one.name === name) ? 'differs' : 'missing', { name }))
}
