import type { DeliberateFault } from './mutant.js'

const DRIVER = 'node/src/services/consensus.ts'
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
]
