export type LogFields = Record<string, unknown>

/** Structured logging as a port; `fields` are facts, the message is for people. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A logger that adds `fields` to everything it writes. */
  child(fields: LogFields): Logger
}
