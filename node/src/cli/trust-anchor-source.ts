import { stat } from 'node:fs/promises'
import { EMPTY_TRIE_ROOT } from '@songhua/sdk/protocol/account'
import { CodedError } from '@songhua/sdk/protocol/errors'
import { genesisHeader } from '@songhua/sdk/protocol/genesis'
import { type TrustAnchor, parseTrustAnchor, trustAnchorToJson } from '@songhua/sdk/protocol/trust-anchor'
import { dataPaths } from '../app/options.js'
import { genesisState } from '../execution/genesis-state.js'
import { updateStateTrie } from '../trie/state-trie.js'
import type { CliContext } from './context.js'
import { namingFile, readTextFile } from './files.js'
import { readGenesis } from './genesis-file.js'
import { loadOptions } from './node-config.js'

/** What a verdict rests on, and where it was found. */
export interface FoundTrustAnchor {
  readonly trustAnchor: TrustAnchor
  readonly path: string
  readonly kind: 'file' | 'folder'
}

const NONE = {
  en: 'no trust anchor: give one with --anchor FILE, or a data folder with --data DIR. songhua anchor-file makes one',
  zh: '缺少信任锚：请用 --anchor 指定文件，或用 --data 指定数据目录。可由 songhua anchor-file 导出',
} as const

/**
 * A file when one is named; else the genesis of the data folder, by default the current one.
 * @throws CLI_USAGE when there is neither, CLI_FILE, CLI_JSON, TRUST_ANCHOR_…, GENESIS_…
 */
export async function findTrustAnchor(
  context: CliContext,
  flags: { anchor?: string; data?: string },
): Promise<FoundTrustAnchor> {
  if (flags.anchor !== undefined) {
    const text = await readTextFile(context, 'trustAnchorFile', flags.anchor)
    const { anchor: path } = flags
    return { trustAnchor: namingFile(path, () => parseTrustAnchor(text)), path, kind: 'file' }
  }
  const folder = flags.data ?? '.'
  const path = await genesisPathOf(context, folder)
  if (flags.data === undefined && !(await exists(path))) throw new CodedError('CLI_USAGE', NONE[context.language])
  return { trustAnchor: await trustAnchorOfGenesis(context, path), path, kind: 'folder' }
}

/** The folder of a node says in songhua.json where its genesis is; that of a devnet has it beside its nodes. */
async function genesisPathOf(context: CliContext, folder: string): Promise<string> {
  const { configFile, genesisFile } = dataPaths(folder)
  return (await exists(configFile)) ? (await loadOptions(context, folder, {})).genesisFile : genesisFile
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** The trust anchor without checkpoints that a genesis file gives. @throws CLI_FILE, CLI_JSON, GENESIS_… */
async function trustAnchorOfGenesis(context: CliContext, path: string): Promise<TrustAnchor> {
  const genesis = await readGenesis(context, path)
  const { root } = updateStateTrie({ getNode: () => undefined }, EMPTY_TRIE_ROOT, genesisState(genesis))
  const header = genesisHeader(genesis, root)
  return parseTrustAnchor(trustAnchorToJson({ chainId: genesis.chainId, genesisHeader: header, checkpoints: [] }))
}
