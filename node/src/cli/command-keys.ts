import { randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import type { Command } from 'commander'
import { bytesToHex } from '@songhua/sdk/protocol/bytes'
import { dataPaths } from '../app/options.js'
import { inspectConsensusLog, openConsensusLog } from '../storage/consensus-log.js'
import { type CliContext, cliError, note, print } from './context.js'
import { readJsonFile, readTextFile, writeNewFile } from './files.js'
import { exampleText } from './flags.js'
import { type Identity, formatIdentity, privateKeyToIdentity } from './identity.js'
import { decryptKey, encryptKey, parseKeystore, textToPrivateKey } from './keystore.js'
import { readPassword, readStdin } from './password.js'

const PASSWORD_FLAG = 'key-password-file'
const TEXTS = {
  keys: {
    en: 'make, import and show node keys (encrypted, Web3 Secret Storage 3)',
    zh: '生成、导入、查看节点私钥（加密存储）',
  },
  new: { en: 'make a new key', zh: '生成新私钥' },
  import: { en: 'encrypt a key read from a file or from standard input', zh: '导入私钥（来自文件或标准输入）并加密' },
  show: {
    en: 'show address, public key and peer id; never the private key',
    zh: '显示地址、公钥和对等 ID，不显示私钥',
  },
  export: {
    en: 'write the private key unencrypted to a new file of mode 0600',
    zh: '将私钥明文写入权限 0600 的新文件',
  },
  out: { en: 'new file to write', zh: '要写入的新文件' },
  from: {
    en: 'file with 64 hexadecimal digits, or a keystore (default: standard input)',
    zh: '含 64 位十六进制数的文件或加密私钥文件（默认标准输入）',
  },
  fromPassword: { en: 'password of the keystore given by --from', zh: '--from 所给加密私钥文件的口令文件' },
  file: { en: 'encrypted key file', zh: '加密私钥文件' },
  password: { en: 'file whose first line is the password (default: ask)', zh: '口令文件，取第一行（默认询问）' },
  json: { en: 'print JSON', zh: '输出 JSON' },
} as const

interface Flags {
  out: string
  from?: string
  fromPasswordFile?: string
  keyPasswordFile?: string
  json?: boolean
}

export function addKeysCommand(program: Command, context: CliContext): void {
  const say = (key: keyof typeof TEXTS): string => TEXTS[key][context.language]
  const keys = program.command('keys').description(say('keys'))
  const passwordFlag = [`--${PASSWORD_FLAG} <file>`, say('password')] as const
  const jsonFlag = ['--json', say('json')] as const

  keys
    .command('new')
    .description(say('new'))
    .requiredOption('--out <file>', say('out'))
    .option(...passwordFlag)
    .option(...jsonFlag)
    .action((flags: Flags) => saveKey(context, newPrivateKey(), flags))
    .addHelpText(
      'after',
      exampleText(context, [
        [
          'songhua keys new --out node-key.json',
          { en: 'asks for a new password on the terminal', zh: '在终端询问新口令' },
        ],
      ]),
    )
  keys
    .command('import')
    .description(say('import'))
    .requiredOption('--out <file>', say('out'))
    .option('--from <file>', say('from'))
    .option('--from-password-file <file>', say('fromPassword'))
    .option(...passwordFlag)
    .option(...jsonFlag)
    .action(async (flags: Flags) => saveKey(context, await readForeignKey(context, flags), flags))
    .addHelpText(
      'after',
      exampleText(context, [
        [
          'songhua keys import --out node-key.json --key-password-file pw.txt < key.hex',
          { en: 'reads 64 hexadecimal digits', zh: '读取 64 位十六进制数' },
        ],
      ]),
    )
  keys
    .command('show')
    .description(say('show'))
    .argument('<file>', say('file'))
    .option(...passwordFlag)
    .option(...jsonFlag)
    .action(async (file: string, flags: Flags) => {
      printIdentity(context, privateKeyToIdentity(await openKeystore(context, file, flags.keyPasswordFile)), flags)
    })
  keys
    .command('export')
    .description(say('export'))
    .argument('<file>', say('file'))
    .requiredOption('--out <file>', say('out'))
    .option(...passwordFlag)
    .action(async (file: string, flags: Flags) => {
      const privateKey = await openKeystore(context, file, flags.keyPasswordFile)
      await writeNewFile(context, {
        what: 'outFile',
        path: flags.out,
        text: `${bytesToHex(privateKey)}\n`,
        mode: 0o600,
      })
      note(context, context.t('keyExported', { path: flags.out }))
    })
}

/** @returns 32 bytes; a draw outside the group (chance 2⁻¹²⁸) would be refused by the next step */
export function newPrivateKey(): Uint8Array {
  return new Uint8Array(randomBytes(32))
}

/** Reads a keystore file, asks for its password, and opens it. @param flag of the password file, as the command calls it @throws CLI_FILE, KEYSTORE_FIELD, KEYSTORE_PASSWORD */
export async function openKeystore(context: CliContext, path: string, passwordFile?: string, flag = PASSWORD_FLAG): Promise<Uint8Array> {
  const keystore = parseKeystore(context, await readJsonFile(context, 'keyFile', path), path)
  const password = await readPassword(context, { file: passwordFile, flag })
  return decryptKey(context, { keystore, password, path })
}

async function saveKey(context: CliContext, privateKey: Uint8Array, flags: Flags): Promise<void> {
  const password = await readPassword(context, { file: flags.keyPasswordFile, flag: PASSWORD_FLAG, isNew: true })
  const text = `${JSON.stringify(await encryptKey(privateKey, password), undefined, 2)}\n`
  await writeNewFile(context, { what: 'keyFile', path: flags.out, text, mode: 0o600 })
  note(context, context.t('keySaved', { path: flags.out }))
  const identity = privateKeyToIdentity(privateKey)
  await bindNewLog(context, flags.out, identity)
  printIdentity(context, identity, flags)
}

/**
 * A key that comes into a data folder in which nothing was signed yet takes its log over; else a new chain whose keys were
 * all brought from elsewhere would never begin, each node silent beside a log that is another key's.
 */
async function bindNewLog(context: CliContext, keyFile: string, { address }: Identity): Promise<void> {
  const path = dataPaths(dirname(keyFile)).consensusLogFile
  const { status, owner } = await inspectConsensusLog(path)
  if (status !== 'fresh' || owner === address) return
  const log = await openConsensusLog(path, { create: false, owner: address })
  await log.startEpoch(0)
  await log.close()
  note(context, context.t('keyLogBound', { path }))
}

async function readForeignKey(context: CliContext, flags: Flags): Promise<Uint8Array> {
  if (flags.from === undefined) {
    if (flags.keyPasswordFile === undefined && !context.stdin.isTTY) {
      throw cliError(context, 'CLI_USAGE', ['passwordNone', { flag: PASSWORD_FLAG }])
    }
    return textToPrivateKey(context, await readStdin(context), 'stdin')
  }
  const text = await readTextFile(context, 'keyFile', flags.from)
  if (!text.trimStart().startsWith('{')) return textToPrivateKey(context, text, flags.from)
  return openKeystore(context, flags.from, flags.fromPasswordFile, 'from-password-file')
}

function printIdentity(context: CliContext, identity: Identity, { json }: { json?: boolean }): void {
  print(context, json ? JSON.stringify(identity) : formatIdentity(context, identity))
}
