import type { Command } from 'commander'
import type { OptionValues } from '../app/options.js'
import { type CliContext, cliError } from './context.js'
import type { DevnetFlags } from './devnet.js'
import { DEFAULT_BASE_PORT, MAX_DEVNET_NODES } from './devnet-folder.js'
import { exampleText, integerFlag } from './flags.js'

const TEXTS = {
  devnet: {
    en: 'run a whole chain on this machine: a process and a folder for each node, chain id 230099',
    zh: '在本机运行一整条链：每个节点一个进程、一个目录，链 ID 230099',
  },
  validators: {
    en: 'number of validators (default: 4, or those that the folder has)',
    zh: '验证者个数（默认 4，或目录中已有的个数）',
  },
  followers: {
    en: 'number of nodes that follow without voting (default: 0, or those that the folder has)',
    zh: '只同步的节点个数（默认 0，或目录中已有的个数）',
  },
  gateways: {
    en: 'how many of the nodes, the first ones, take records over REST',
    zh: '启用记录网关的节点个数，自首个节点起',
  },
  data: { en: 'folder of the devnet; resumed when it has one', zh: '开发网目录；已有开发网则继续运行' },
  basePort: {
    en:
      'node i uses port + 10·i for JSON-RPC, + 1 for admin, + 2 for p2p, + 3 for the gateway ' +
      `(default: ${DEFAULT_BASE_PORT}, or as in the last run)`,
    zh: `第 i 个节点使用 port + 10·i（JSON-RPC）、+ 1（管理）、+ 2（对等网络）、+ 3（网关）（默认 ${DEFAULT_BASE_PORT}，或与上次相同）`,
  },
  json: { en: 'print one JSON line when ready, for scripts', zh: '就绪时输出一行 JSON，供脚本使用' },
  demo: { en: 'anchor a first set of records', zh: '锚定一组示例记录' },
  logLevel: { en: 'least severe log line written to node.log of each folder', zh: '写入各目录 node.log 的日志级别' },
} as const

export function addDevnetCommand(program: Command, context: CliContext): void {
  const say = (key: keyof typeof TEXTS): string => TEXTS[key][context.language]
  const count = (flag: string, least: number): ((text: string) => number) =>
    integerFlag(context, flag, [least, MAX_DEVNET_NODES])
  program
    .command('devnet')
    .description(say('devnet'))
    .option('--validators <number>', say('validators'), count('--validators', 1))
    .option('--followers <number>', say('followers'), count('--followers', 0))
    .option('--gateways <number>', say('gateways'), count('--gateways', 0), 1)
    .option('--data <folder>', say('data'), '.songhua/devnet')
    .option('--base-port <port>', say('basePort'), integerFlag(context, '--base-port', [1, 65_535]))
    .option('--json', say('json'))
    .option('--demo', say('demo'))
    .option('--log-level <level>', say('logLevel'), (text) => logLevel(context, text), 'info')
    // Loaded when run: ethers takes a third of a second.
    .action(async (flags: DevnetFlags) => (await import('./devnet.js')).runDevnet(context, flags))
    .addHelpText(
      'after',
      exampleText(context, [
        [
          'songhua devnet',
          {
            en: 'four validators in .songhua/devnet, JSON-RPC of the first at http://127.0.0.1:8545',
            zh: '四个验证者，位于 .songhua/devnet，首个节点 JSON-RPC 为 http://127.0.0.1:8545',
          },
        ],
        [
          'songhua devnet --validators 7 --followers 1 --data /tmp/net --base-port 20000 --json',
          { en: 'for scripts; SIGTERM ends all nodes', zh: '供脚本使用；SIGTERM 结束所有节点' },
        ],
        [
          'songhua start --data .songhua/devnet/qiqihar',
          { en: 'brings back one node that ended', zh: '单独恢复某个已结束的节点' },
        ],
      ]),
    )
}

function logLevel(context: CliContext, text: string): OptionValues['log.level'] {
  const levels = ['debug', 'info', 'warn', 'error', 'silent'] as const
  const level = levels.find((one) => one === text)
  if (level !== undefined) return level
  throw cliError(context, 'CLI_USAGE', [
    'badChoice',
    { flag: '--log-level', choices: levels.join(', '), value: JSON.stringify(text) },
  ])
}
