import type { Command } from 'commander'
import { faultTolerance } from '@songhua/sdk/protocol/validator-set'
import { type CliContext, note } from './context.js'
import { namingFile, readJsonFile, writeNewFile } from './files.js'
import { exampleText, integerFlag } from './flags.js'
import { createGenesis } from './genesis-file.js'
import { DEVNET_CHAIN_ID, PROVINCE_CHAIN_ID } from './node-config.js'
import { namingRoster } from './roster-errors.js'
import { ROSTER_EXAMPLE, parseRoster, refuseAccounts, rosterGovernance } from './roster.js'

const TEXTS = {
  genesis: { en: 'make the genesis of a chain from the roster of its nodes', zh: '根据节点名册生成创世文件' },
  roster: { en: 'roster file', zh: '名册文件' },
  out: { en: 'new genesis file to write', zh: '要写入的新创世文件' },
  chainId: {
    en: `chain id that no other chain has had (default: of the roster, else ${PROVINCE_CHAIN_ID})`,
    zh: `链 ID，不得曾用于其他链（默认取自名册，否则 ${PROVINCE_CHAIN_ID}）`,
  },
  timestamp: {
    en: 'time of block 0, seconds since 1970 (default: now)',
    zh: '创世时间，自 1970 年起的秒数（默认当前）',
  },
  example: {
    en: 'A roster (nodes, qbft, gasLimit may be left out; at least four organisations have a seat in the council):',
    zh: '名册示例（nodes、qbft、gasLimit 可省略；理事会至少四个席位）：',
  },
} as const

interface Flags {
  roster: string
  out: string
  chainId?: number
  timestamp?: number
}

export function addGenesisCommand(program: Command, context: CliContext): void {
  const say = (key: keyof typeof TEXTS): string => TEXTS[key][context.language]
  program
    .command('genesis')
    .description(say('genesis'))
    .requiredOption('--roster <file>', say('roster'))
    .requiredOption('--out <file>', say('out'))
    .option('--chain-id <number>', say('chainId'), integerFlag(context, '--chain-id', [1, Number.MAX_SAFE_INTEGER]))
    .option('--timestamp <seconds>', say('timestamp'), integerFlag(context, '--timestamp', [0, 253_402_300_799]))
    .action((flags: Flags) => writeGenesis(context, flags))
    .addHelpText(
      'after',
      `${exampleText(context, [
        [
          'songhua genesis --roster roster.json --out genesis.json',
          {
            en: 'the same roster and --timestamp give the same file',
            zh: '名册与 --timestamp 相同则文件相同',
          },
        ],
      ])}\n\n${say('example')}\n${ROSTER_EXAMPLE}`,
    )
}

async function writeGenesis(context: CliContext, flags: Flags): Promise<void> {
  const json = await readJsonFile(context, 'rosterFile', flags.roster)
  // Loaded when run: ethers takes a third of a second.
  const { devAccounts } = await import('./dev-accounts.js')
  const publicKnowledge = devAccounts().map(({ address }) => address)
  const genesis = namingFile(flags.roster, () => {
    const { chainId: rosterChainId, gasLimit, qbft, ...roster } = parseRoster(json)
    const chainId = flags.chainId ?? rosterChainId ?? PROVINCE_CHAIN_ID
    if (chainId !== DEVNET_CHAIN_ID) refuseAccounts(roster, publicKnowledge)
    try {
      return createGenesis({
        chainId,
        qbft,
        governance: rosterGovernance(roster),
        ...(gasLimit === undefined ? {} : { gasLimit }),
        ...(flags.timestamp === undefined ? {} : { timestamp: flags.timestamp }),
      })
    } catch (error) {
      throw namingRoster(context, roster, error)
    }
  })
  await writeNewFile(context, {
    what: 'genesisFile',
    path: flags.out,
    text: `${JSON.stringify(genesis, undefined, 2)}\n`,
  })
  const validators = parseRoster(json).nodes.filter(({ entry }) => entry.isValidator).length
  const faults = faultTolerance(validators)
  note(
    context,
    context.t('genesisDone', { path: flags.out, chainId: Number(genesis.config.chainId), validators, faults }),
  )
  note(context, context.t('genesisChainId', { chainId: Number(genesis.config.chainId) }))
  note(context, context.t('genesisNext'))
}
