import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { exampleText, integerFlag } from '../flags.js'
import type { AccountFlags, BindFlags, ChangeFlags, ConsentFlags, ShowFlags } from './account-actions.js'
import { FIELD_WORDS } from './field-types.js'
import { addRpcFlag } from '../rpc-flags.js'
import { addJsonFlag, addSignerFlags } from './signer-flags.js'
import { createTeller } from './texts.js'

const TEXTS = {
  account: { en: 'an organisation’s accounts: bind, change, release, show', zh: '机构账户：绑定、变更、解除、查看' },
  consent: { en: 'sign that an organisation may bind this account (the account’s owner)', zh: '签署同意书，允许机构绑定本账户（账户所有人）' },
  revoke: { en: 'make void every consent that this account has given and nobody has used', zh: '撤销本账户已签署而未使用的全部同意书' },
  bind: { en: 'bind an account that has consented (the organisation’s administrator)', zh: '绑定已签同意书的账户（机构管理员）' },
  change: { en: 'set roles and quotas of an account; what is left out stays (the administrator)', zh: '变更账户权限与配额，未给出者不变（机构管理员）' },
  release: { en: 'unbind an account (the administrator, or the account itself)', zh: '解除账户绑定（机构管理员或账户本身）' },
  show: { en: 'show an account’s organisation, roles and quotas, and what it has used today', zh: '查看账户的机构、权限、配额与今日用量' },
  address: { en: 'address of the account', zh: '账户地址' },
  uscc: { en: 'credit code of the organisation', zh: '机构统一社会信用代码' },
  gateway: { en: 'data folder of a node: the account by which its gateway anchors signs, instead of --key-file', zh: '节点数据目录：由其网关的上链账户签署，代替 --key-file' },
  nonce: { en: 'nonce of the account’s consents, with --chain-id to sign offline (default: asked of the node)', zh: '同意书序号，与 --chain-id 同用可离线签署（默认询问节点）' },
  chainId: { en: 'chain that the consent is for', zh: '同意书所属链 ID' },
  out: { en: 'new file to write (default: print)', zh: '要写入的新文件（默认输出到屏幕）' },
  consentFile: { en: 'the account’s consent', zh: '账户的同意书' },
  roles: { en: 'its roles, among the organisation’s: {roles}', zh: '账户权限，不超出机构权限：{roles}' },
  gas: { en: 'gas a day; the organisation’s quota holds as well', zh: '每日 gas（机构配额同时有效）' },
  bytes: { en: 'bytes of transactions a day', zh: '每日交易字节' },
} as const
const say = createTeller(TEXTS)
const actions = () => import('./account-actions.js')

export function addAccountCommand(program: Command, context: CliContext): void {
  const account = program.command('account').description(say(context, 'account'))
  const signed = (name: 'consent' | 'revoke' | 'bind' | 'change' | 'release'): Command =>
    addSignerFlags(addJsonFlag(addRpcFlag(account.command(name).description(say(context, name)), context), context), context)
  addConsent(signed, context)
  const rights = (command: Command): Command =>
    command
      .option('--roles <role,…>', say(context, 'roles', { roles: FIELD_WORDS.roles }))
      .option('--gas-per-day <number|unlimited>', say(context, 'gas'))
      .option('--bytes-per-day <number|unlimited>', say(context, 'bytes'))
  rights(signed('bind').requiredOption('--consent <file>', say(context, 'consentFile')))
    .action(async (flags: BindFlags) => (await actions()).bind(context, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua account bind --consent clerk.json --roles anchor,read --key-file administrator.json', { en: 'without limits of its own', zh: '不另设配额' }],
    ]))
  rights(signed('change').argument('<address>', say(context, 'address')))
    .action(async (address: string, flags: ChangeFlags) => (await actions()).change(context, address, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua account change 0x… --gas-per-day 5000000 --key-file administrator.json', { en: 'roles and bytes stay as they are', zh: '权限与字节配额不变' }],
    ]))
  signed('release')
    .argument('<address>', say(context, 'address'))
    .action(async (address: string, flags: AccountFlags) => (await actions()).release(context, address, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua account release 0x… --key-file administrator.json', { en: 'the account acts for nobody any more', zh: '该账户不再代表任何机构' }],
    ]))
  addJsonFlag(addRpcFlag(account.command('show').argument('<address>', say(context, 'address')).description(say(context, 'show')), context), context)
    .action(async (address: string, flags: ShowFlags) => (await actions()).show(context, address, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua account show 0x…', { en: 'also of one that is bound to nobody', zh: '未绑定的账户也可查看' }],
    ]))
}

function addConsent(signed: (name: 'consent' | 'revoke') => Command, context: CliContext): void {
  signed('consent')
    .option('--uscc <uscc>', say(context, 'uscc'))
    .option('--gateway <folder>', say(context, 'gateway'))
    .option('--nonce <number>', say(context, 'nonce'), integerFlag(context, '--nonce', [0, Number.MAX_SAFE_INTEGER]))
    .option('--chain-id <number>', say(context, 'chainId'), integerFlag(context, '--chain-id', [1, Number.MAX_SAFE_INTEGER]))
    .option('--out <file>', say(context, 'out'))
    .action(async (flags: ConsentFlags) => (await actions()).consent(context, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua account consent --uscc 91230100MA0000322Y --key-file clerk-key.json --out clerk.json', { en: 'give the file to the administrator; it serves once', zh: '将文件交管理员，仅可使用一次' }],
      ['songhua account consent --uscc 91230100MA0000322Y --gateway /var/lib/songhua --out gateway.json', { en: 'so that the gateway of this node may anchor for the organisation', zh: '使本节点网关可代表该机构上链' }],
    ]))
  signed('revoke')
    .action(async (flags: AccountFlags) => (await actions()).revoke(context, flags))
    .addHelpText('after', exampleText(context, [
      ['songhua account revoke --key-file clerk-key.json', { en: 'nobody can use a consent given before', zh: '此前签署的同意书均失效' }],
    ]))
}
