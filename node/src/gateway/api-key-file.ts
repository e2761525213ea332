import { readFileSync, statSync } from 'node:fs'
import type { ApiKeyFileReader } from './api-keys.js'

/** The file at `path`. */
export function apiKeyFileAt(path: string): ApiKeyFileReader {
  return {
    stamp() {
      const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
      return stat && `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`
    },
    read: () => readFileSync(path, 'utf8'),
  }
}
