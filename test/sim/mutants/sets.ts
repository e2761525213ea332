import type { DeliberateFault } from './mutant.js'

const CHAIN = 'node/src/services/chain.ts'
const DRIVER = 'node/src/services/consensus.ts'
const READER = 'contracts/src/membership/state-nodes.ts'
const TURN = 'node/src/consensus/turn.ts'
const WORK = 'node/src/services/block-work.ts'

/** What must hold so that each height is sealed by the set that the council has scheduled for it, and by nobody else. */
export const SET_MUTANTS: readonly DeliberateFault[] = [
  {
    name: 'set-one-block-late',
    breaks: 'A change of the validator set takes effect one block later than the header says.',
    edits: [
      {
        file: 'node/src/services/block-work.ts',
        find: 'return { head, historyNodes: nodes }',
        replace: `const { validators } = decodeExtraData(parent.header.extraData)
  return { head: { ...head, validators }, historyNodes: nodes }`,
      },
    ],
  },
  {
    name: 'change-one-block-early',
    breaks: 'Everybody reads from the register that a scheduled set seals from the block before its height on.',
    edits: [{ file: READER, find: 'change.height <= height)', replace: 'change.height <= height + 1)' }],
  },
  {
    name: 'change-one-block-late',
    breaks: 'Everybody reads from the register that a scheduled set seals from the block after its height on.',
    edits: [{ file: READER, find: 'change.height <= height)', replace: 'change.height < height)' }],
  },
  {
    name: 'change-when-decided',
    breaks: 'Everybody lets a scheduled set seal from the block after the motion on.',
    edits: [{ file: READER, find: 'changes.findLast((change) => change.height <= height)', replace: 'changes.at(-1)' }],
  },
  {
    name: 'first-of-due-changes',
    breaks: 'Of several changes whose height has come the oldest counts.',
    edits: [{ file: READER, find: 'changes.findLast((change)', replace: 'changes.find((change)' }],
  },
  {
    name: 'change-forgotten-by-a-restart',
    breaks: 'After a restart the set that sealed the head seals the next block too.',
    edits: [
      {
        file: WORK,
        find: 'return { ...stored, sealers, validators, blockTimeMs',
        replace: 'return { ...stored, sealers, validators: [...sealers], blockTimeMs',
      },
      {
        file: WORK,
        find: 'return { head, historyNodes: nodes }',
        replace: 'return { head: { ...head, validators: decodeExtraData(header.extraData).validators }, historyNodes: nodes }',
      },
    ],
  },
  {
    name: 'seals-of-the-set-before',
    breaks: 'A sealed block is held against the set that sealed its parent.',
    edits: [{ file: CHAIN, find: 'verifySeals(header, this.#head.validators)', replace: 'verifySeals(header, this.#head.sealers)' }],
  },
  {
    name: 'voters-of-the-set-before',
    breaks: 'Votes are taken from, and counted for, the set that sealed the parent.',
    edits: [
      {
        file: DRIVER,
        find: '      domain: { genesisHash, protocolVersion },\n      validators,',
        replace: '      domain: { genesisHash, protocolVersion },\n      validators: [...sealers],',
      },
    ],
  },
  {
    name: 'turns-of-the-set-before',
    breaks: 'Those take turns to propose who sealed the parent.',
    edits: [
      {
        file: DRIVER,
        find: 'proposerOrder({ validators, rotation, height })',
        replace: 'proposerOrder({ validators: sealers, rotation, height })',
      },
    ],
  },
  {
    name: 'messages-read-with-the-first-set',
    breaks: 'Authors are looked up in the set of the height at which the node started.',
    edits: [
      {
        file: DRIVER,
        find: 'this.#reader = { ...facts, decodeBlock',
        replace: 'this.#reader = { ...facts, validators: this.#reader?.validators ?? facts.validators, decodeBlock',
      },
    ],
  },
  {
    name: 'votes-without-a-seat',
    breaks: 'Whoever has a key votes: who is to join before its height, who has left still.',
    edits: [
      {
        file: TURN,
        find: 'return !facts.isSilent && facts.self !== undefined && facts.validators.includes(facts.self)',
        replace: 'return !facts.isSilent && facts.self !== undefined',
      },
    ],
  },
]
