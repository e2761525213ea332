import { pino, type Logger as Pino, type LoggerOptions } from 'pino'
import pretty from 'pino-pretty'
import type { LogFields, Logger } from '../base/logger.js'

export interface LogConfig {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
  readonly format: 'json' | 'pretty'
}

/** Logs go to standard error: standard output belongs to what a command prints. */
const STDERR = 2

/** Structured logs: one JSON object a line, or lines for people. */
export function createLogger(config: LogConfig, fields: LogFields): Logger {
  const options: LoggerOptions = { level: config.level, base: fields, timestamp: pino.stdTimeFunctions.isoTime, serializers: { error: readable } }
  const stream =
    config.format === 'pretty'
      ? pretty({ destination: STDERR, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' })
      : pino.destination({ dest: STDERR, sync: true })
  return adapt(pino(options, stream))
}

/** An error with its message, stack and causes; without this, pino shows its own fields alone. */
function readable(error: unknown): unknown {
  return error instanceof Error ? pino.stdSerializers.errWithCause(error) : error
}

function adapt(log: Pino): Logger {
  return {
    debug: (message, fields) => log.debug(fields ?? {}, message),
    info: (message, fields) => log.info(fields ?? {}, message),
    warn: (message, fields) => log.warn(fields ?? {}, message),
    error: (message, fields) => log.error(fields ?? {}, message),
    child: (fields) => adapt(log.child(fields)),
  }
}
