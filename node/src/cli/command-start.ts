import { setFlagsFromString } from 'node:v8'
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { RunningNode } from '../app/node.js'
import type { NodeOptions } from '../app/options.js'
import { isCodedError, messageOf } from '@songhua/sdk/protocol/errors'
import { type CliContext, cliError, note } from './context.js'
import { readCrashOrder } from './crash-order.js'
import { isMissingFile } from './files.js'
import { addNodeFlags, exampleText, flagsToOptions } from './flags.js'
import { readGenesis } from './genesis-file.js'
import { loadNodeKey, loadOptions } from './node-config.js'
import { runNode } from './run-node.js'
import { createStopSignal } from './stop-signal.js'
import { formatFields } from './table.js'

/**
 * V8 collects its old generation when it has grown by a fifth and not, as by default, by up to three times: 174 to 191 MB
 * resident under load instead of 228 to 243, in runs whose throughput differed by no more than the machine's noise.
 */
const HEAP_GROWTH = '--heap-growing-percent=20'

const TEXTS = {
  start: { en: 'run a node until SIGTERM or Ctrl-C', zh: '运行节点，直到 SIGTERM 或 Ctrl-C' },
  data: { en: 'data folder made by `songhua init`', zh: '由 songhua init 建立的数据目录' },
  managed: { en: 'stop when the parent process ends', zh: '父进程结束时停止' },
} as const

interface Flags {
  data: string
  managed?: boolean
}

export function addStartCommand(program: Command, context: CliContext): void {
  const say = (key: keyof typeof TEXTS): string => TEXTS[key][context.language]
  const command = program.command('start').description(say('start')).requiredOption('--data <folder>', say('data'))
  addNodeFlags(command, context)
  command.addOption(new Option('--managed', say('managed')).hideHelp())
  command.action((flags: Flags) => start(context, flags))
  command.addHelpText(
    'after',
    exampleText(context, [
      [
        'songhua start --data /var/lib/songhua',
        { en: 'asks for the password of the node key', zh: '询问节点私钥口令' },
      ],
      [
        'songhua start --data /var/lib/songhua --key-password-file /run/secrets/songhua --rpc-host 0.0.0.0',
        {
          en: 'as a service, JSON-RPC open to others',
          zh: '作为服务运行，对外开放 JSON-RPC',
        },
      ],
      [
        'songhua start --data follower --follow',
        { en: 'a copy of the chain that never votes', zh: '只同步、不参与共识的副本' },
      ],
    ]),
  )
}

async function start(context: CliContext, flags: Flags): Promise<void> {
  const stop = createStopSignal(context, { isManaged: flags.managed === true })
  const options = await loadOptions(context, flags.data, flagsToOptions({ ...flags }))
  const genesis = await advising(context, () => 'startNeedsGenesis', () => readGenesis(context, options.genesisFile))
  const nodeKey = await advising(context, (path) => (path === options.nodeKey.passwordFile ? 'startNeedsPassword' : 'startNeedsKey'), () => loadNodeKey(context, options, genesis.chainId))
  const crashAt = readCrashOrder(context, context.environment, genesis.chainId)
  const isPretty = context.stderr.isTTY === true
  setFlagsFromString(HEAP_GROWTH)
  const log = { level: options.log.level, format: logFormat(options, isPretty) }
  await runNode(context, { ...options, dataDir: resolve(flags.data), nodeKey, crashAt, log }, {
    stop,
    onStarted: (node) => announce(context, node, flags),
    isManaged: flags.managed === true,
  })
}

type Advice = 'startNeedsGenesis' | 'startNeedsKey' | 'startNeedsPassword'

/** What the doctor would say of a file that is not there. @param adviceOn the path of the one that is missing */
async function advising<T>(context: CliContext, adviceOn: (path: unknown) => Advice, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!isMissingFile(error)) throw error
    const key = adviceOn(isCodedError(error) ? error.details.path : undefined)
    throw cliError(context, 'CLI_FILE', [key, { message: messageOf(error) }, error])
  }
}

function logFormat({ log }: NodeOptions, isPretty: boolean): 'json' | 'pretty' {
  if (log.format === 'auto') return isPretty ? 'pretty' : 'json'
  return log.format
}

function announce(context: CliContext, { info }: RunningNode, { managed }: Flags): void {
  // A devnet that has gone meanwhile is noticed by the closed channel, not by this message.
  if (managed && process.connected) process.send?.({ event: 'ready', info }, undefined, undefined, () => undefined)
  if (!context.stderr.isTTY) return
  note(context, context.t('started', { name: info.name, chainId: info.chainId }))
  const peers = info.p2p.map((address) => ['p2p', address] as const)
  note(context, formatFields([['JSON-RPC', info.rpc], ['admin', info.admin], ...peers]))
}
