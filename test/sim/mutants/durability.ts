import type { DeliberateFault } from './mutant.js'

const DRIVER = 'node/src/services/consensus.ts'
const ACCEPT = 'node/src/consensus/accept.ts'
const FORMAT = 'node/src/storage/consensus-log-format.ts'
const LOG = 'node/src/storage/consensus-log.ts'
const SIGNER = 'node/src/signer/signer.ts'
const RECOVERY = 'node/src/signer/recovery.ts'
const HEIGHT = 'node/src/consensus/height.ts'
const SAFETY_LOG = 'node/src/signer/safety-log.ts'
const SILENCE = 'node/src/services/consensus-silence.ts'

/** What must be on disk, and be believed, so that a crash or a lost log is not a second voice. */
export const DURABILITY_MUTANTS: readonly DeliberateFault[] = [
  {
    name: 'persist-after-sending',
    breaks: 'A vote is signed and sent while the record that covers it is still on its way to the disk.',
    edits: [
      {
        file: DRIVER,
        find: 'await this.#signer.persist(effect.record)',
        replace: 'void this.#signer.persist(effect.record)',
      },
      { file: SIGNER, find: '    pending = record\n', replace: '    pending = bound = record\n' },
    ],
  },
  {
    name: 'nothing-persisted',
    breaks: 'Records never reach the log.',
    edits: [{ file: SIGNER, find: '    saved = await write(log, record, saved)\n', replace: '' }],
  },
  {
    name: 'record-ignored-after-restart',
    breaks: 'A restart begins the height anew, as if the log were empty.',
    edits: [
      { file: HEIGHT, find: '  if (record) resume(turn, record)\n', replace: '' },
      { file: SIGNER, find: 'let pending = recovery.record', replace: 'let pending: SafetyRecord | undefined' },
      { file: SIGNER, find: 'let bound = recovery.record', replace: 'let bound: SafetyRecord | undefined' },
    ],
  },
  {
    name: 'certificate-not-persisted',
    breaks: 'The log keeps the round and the step, but not the prepared certificate.',
    edits: [
      {
        file: SAFETY_LOG,
        find: 'certificate === undefined ? [] : certificateToRlp(certificate),',
        replace: '[],',
      },
    ],
  },
  {
    name: 'body-not-persisted',
    breaks: 'The block is not saved with its Prepare, so that the record names what is nowhere.',
    edits: [
      {
        file: SIGNER,
        find: 'const missing = [...named.values()].filter(({ digest }) => !saved.has(digest))',
        replace: 'const missing: ProposedBlock[] = []',
      },
    ],
  },
  {
    name: 'mark-not-written',
    breaks: 'The first height’s mark stays in the log for ever: an old copy looks like a new one.',
    edits: [
      {
        file: SIGNER,
        find: 'await log.startEpoch(next, [encodeMark({ height: next, isSilent: silent })])',
        replace: 'if (next === 1) await log.startEpoch(next, [encodeMark({ height: next, isSilent: silent })])',
      },
    ],
  },
  {
    name: 'signs-at-once-with-a-lost-log',
    breaks: 'A validator whose log is missing or damaged votes from the start.',
    edits: [
      {
        file: RECOVERY,
        find: "if (log.status !== 'ok') return silent(",
        replace: `if (log.status !== 'ok') return { silence: undefined, record: undefined }
  if (log.status !== 'ok') return silent(`,
      },
    ],
  },
  {
    name: 'old-log-accepted',
    breaks: 'A log that stops below the store, or beyond it, is believed: a restored backup votes again.',
    edits: [
      { file: RECOVERY, find: 'if (mark.height < headNumber) return', replace: 'if (false) return' },
      { file: RECOVERY, find: 'if (mark.height > headNumber + 1) return', replace: 'if (false) return' },
    ],
  },
  {
    name: 'silence-ends-too-early',
    breaks: 'A validator that lost its log votes again at the next height.',
    edits: [{ file: SILENCE, find: 'isOver = head >= highest + 2', replace: 'isOver = head + 2 >= highest' }],
  },
  {
    name: 'silence-forgotten-by-a-restart',
    breaks: 'A validator that dies while it keeps silent votes when it comes back.',
    edits: [{ file: RECOVERY, find: 'if (mark.isSilent) return', replace: 'if (false) return' }],
  },
  {
    name: 'block-not-awaited',
    breaks: 'The next height begins, and drops the log, before the block below is on disk.',
    edits: [
      {
        file: 'node/src/services/chain.ts',
        find: 'await this.#ports.store.commitBlock({ block, receipts, diff, trieNodes, ...next })',
        replace: 'void this.#ports.store.commitBlock({ block, receipts, diff, trieNodes, ...next })',
      },
    ],
  },
  {
    name: 'store-one-behind-accepted',
    breaks: 'A store two blocks behind its log is taken for one that a crash has left behind.',
    edits: [{ file: RECOVERY, find: 'if (mark.height > headNumber + 1) return', replace: 'if (mark.height > headNumber + 2) return' }],
  },
  {
    name: 'log-one-older-accepted',
    breaks: 'A copy of the log that is two heights old is taken for one that a crash has left behind.',
    edits: [{ file: RECOVERY, find: 'if (mark.height < headNumber) return', replace: 'if (mark.height < headNumber - 1) return' }],
  },
  {
    name: 'silence-two-heights-early',
    breaks: 'A validator that lost its log votes two heights before all that it may have signed is past.',
    edits: [{ file: SILENCE, find: 'isOver = head >= highest + 2', replace: 'isOver = head >= highest' }],
  },
  {
    name: 'imports-run-ahead-of-log',
    breaks: 'Blocks are stored before the log has reached their height: after a crash it looks like an old copy.',
    edits: [{ file: SIGNER, find: 'wanted <= reachedHeight ? Promise.resolve()', replace: 'wanted > 0 ? Promise.resolve()' }],
  },
  {
    name: 'certificate-not-in-prepare-record',
    breaks: 'The record of a Prepare forgets the certificate of an earlier round.',
    edits: [
      {
        file: ACCEPT,
        find: "persist(turn, { height: facts.height, round, step: 'prepare', block, certificate })",
        replace: "persist(turn, { height: facts.height, round, step: 'prepare', block, certificate: undefined })",
      },
    ],
  },
  {
    name: 'records-not-synced',
    breaks: 'A record counts as durable when it has been written and not synced.',
    edits: [
      {
        file: LOG,
        find: 'await writeRecords(file, records, file.end)\n  await file.handle.datasync()\n',
        replace: 'await writeRecords(file, records, file.end)\n',
      },
    ],
  },
  {
    name: 'epoch-not-synced',
    breaks: 'An epoch counts as begun when it has been written and not synced.',
    edits: [
      {
        file: LOG,
        find: "crashPoint('log.epoch-written')\n  await file.handle.datasync()\n",
        replace: "crashPoint('log.epoch-written')\n",
      },
    ],
  },
  {
    name: 'epoch-over-epoch',
    breaks: 'A new epoch is written over the one that still counts.',
    edits: [
      {
        file: LOG,
        find: 'const start = DATA_START + size <= file.start ? DATA_START : file.end',
        replace: 'const start = DATA_START',
      },
    ],
  },
  {
    name: 'one-copy-of-each-record',
    breaks: 'A record stands once in the log: one bad block is a lost log.',
    edits: [{ file: FORMAT, find: 'for (const copy of [0, 1]) {', replace: 'for (const copy of [0]) {' }],
  },
  {
    name: 'gap-always-damage',
    breaks: 'What a power failure tore in the last write counts as damage.',
    edits: [{ file: FORMAT, find: 'return isTorn ? own.slice(0, gap) : undefined', replace: 'return undefined' }],
  },
]
