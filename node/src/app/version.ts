import { createRequire } from 'node:module'

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }

export const VERSION = version

/** As peers and clients are told, in geth's form. */
export const SOFTWARE = `songhua/v${VERSION}/${process.platform}-${process.arch}/node${process.versions.node}`

/** Of the rules of consensus and execution: the range of versions that this program knows. */
export const PROTOCOL_VERSIONS = { min: 1, max: 1 } as const
