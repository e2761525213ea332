import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tableIndexBytes } from '@songhua/node/storage/level-file-scan'

/** Bytes of the indexes of a store's tables, each of which LevelDB keeps in memory while the table is open. */
export type IndexMeter = () => Promise<number>

/** Reads each table once: a table that is whole never changes. @param folder of the store; its tables may come and go */
export function createIndexMeter(folder: string): IndexMeter {
  const known = new Map<string, number>()
  return async () => {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.ldb'))
    for (const name of known.keys()) if (!names.includes(name)) known.delete(name)
    for (const name of names) if (!known.has(name)) await measure(name)
    return [...known.values()].reduce((total, bytes) => total + bytes, 0)
  }

  async function measure(name: string): Promise<void> {
    const file = await readFile(join(folder, name)).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    })
    const bytes = file === undefined ? undefined : tableIndexBytes(file)
    if (bytes !== undefined) known.set(name, bytes)
  }
}
