import type { DeliberateFault } from './mutant.js'

const DRIVER = 'node/src/services/consensus.ts'
const ENTRY = 'node/src/consensus/round-entry.ts'
const INBOX = 'node/src/services/consensus-inbox.ts'
const RECEIVE = 'node/src/consensus/receive.ts'
const ROUNDS = 'node/src/consensus/rounds.ts'
const STEP = 'node/src/consensus/step.ts'

/** What must hold so that the chain goes on, and within its limits. */
export const PROGRESS_MUTANTS: readonly DeliberateFault[] = [
  {
    name: 'timers-dropped-when-a-queue-is-full',
    breaks: 'A timer that fires while messages wait is lost (Besu keeps both in one queue that drops).',
    edits: [
      {
        file: DRIVER,
        find: "this.#post({ type: 'timer', name, atMs })",
        replace: "if (this.#inbox.size === 0) this.#post({ type: 'timer', name, atMs })",
      },
    ],
  },
  {
    name: 'no-round-change-retransmission',
    breaks: 'A round change is sent once.',
    edits: [
      {
        file: STEP,
        find: "for (const message of state.own.values()) turn.effects.push({ type: 'send', message, to: 'all' })",
        replace: `for (const message of state.own.values()) {
        if (message.kind !== 'roundChange') turn.effects.push({ type: 'send', message, to: 'all' })
      }`,
      },
    ],
  },
  {
    name: 'no-retransmission',
    breaks: 'Everything is sent once.',
    edits: [
      {
        file: RECEIVE,
        find: 'export function scheduleResend(turn: Turn): void {\n',
        replace: 'export function scheduleResend(turn: Turn): void {\n  if (turn !== undefined) return\n',
      },
    ],
  },
  {
    name: 'no-early-round-change',
    breaks: 'Nobody follows f + 1 others to their round.',
    edits: [
      {
        file: ENTRY,
        find: '  if (reached > state.round) enterRound(turn, reached, { announce: true })\n',
        replace: '',
      },
    ],
  },
  {
    name: 'f-round-changes-are-enough',
    breaks: 'f validators, all of them perhaps faulty, take everybody to their round.',
    edits: [
      {
        file: ROUNDS,
        find: 'return descending[faultTolerance] ?? -1',
        replace: 'return descending[faultTolerance - 1] ?? -1',
      },
    ],
  },
  {
    name: 'lock-without-unlock',
    breaks: 'Who has prepared a block votes for no other at its height, whatever is proved to it (IBFT 1, quorum #305).',
    edits: [
      {
        file: RECEIVE,
        find: '  const error = findUntimely(turn, proposal)\n',
        replace: `  if (state.certificate !== undefined && state.certificate.digest !== block.digest) return false
  const error = findUntimely(turn, proposal)
`,
      },
    ],
  },
  {
    name: 'round-left-alone',
    breaks: 'A validator runs through rounds in which no quorum has arrived (Besu #7642).',
    edits: [{ file: STEP, find: '  if (!state.isRoundReached) return startRoundTimer(turn)\n', replace: '' }],
  },
  {
    name: 'height-not-restarted-after-sync',
    breaks: 'A block that came by sync does not end the height (Besu #8307).',
    edits: [
      {
        file: DRIVER,
        find: 'this.#wake(() => (this.#isHeadNew = true))',
        replace: 'this.#wake(() => this.#state?.isDecided === true && (this.#isHeadNew = true))',
      },
    ],
  },
  {
    name: 'transactions-not-resent',
    breaks: 'Who times out over a transaction that it alone holds does not pass it on.',
    edits: [{ file: STEP, find: "  turn.effects.push({ type: 'resendTransactions' })\n", replace: '' }],
  },
  {
    name: 'unlimited-future-buffer',
    breaks: 'Messages of later heights are kept without limit.',
    edits: [
      {
        file: INBOX,
        find: 'const limits = { count: FUTURE_PEER_MESSAGES_MAX, bytes: FUTURE_PEER_BYTES_MAX }',
        replace: 'const limits = { count: Infinity, bytes: Infinity }',
      },
      {
        file: DRIVER,
        find: 'if (height <= current + FUTURE_HEIGHTS) this.#future.push(raw, height)',
        replace: 'this.#future.push(raw, height)',
      },
    ],
  },
  {
    name: 'unlimited-inbox',
    breaks: 'A peer may queue as many messages as it likes.',
    edits: [
      {
        file: INBOX,
        find: 'if (share.waiting.length >= limits.count || bytes > limits.bytes) return false',
        replace: '',
      },
    ],
  },
]
