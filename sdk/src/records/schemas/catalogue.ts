import type { RecordSchema } from '../record-schema.js'
import * as creditPublic from './credit-public.js'
import * as creditReporting from './credit-reporting.js'
import * as government from './government.js'
import * as trace from './trace.js'

/** The schemas that come with the SDK, by the names of their builders. */
export const SCHEMAS = { ...government, ...trace, ...creditPublic, ...creditReporting } as const

export const RECORD_SCHEMAS: readonly RecordSchema[] = Object.values(SCHEMAS)
