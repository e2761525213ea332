import { NO_LIMIT } from '@songhua/sdk/governance/codes'
import { motionArguments } from '@songhua/sdk/governance/motion-values'
import { MOTIONS, type MotionArguments, type MotionKind, encodeMotion } from '@songhua/sdk/governance/motions'
import { describe, expect, it } from 'vitest'
import { MOTION_SAMPLES } from './motion-samples.js'

const kinds = Object.keys(MOTIONS) as MotionKind[]

describe('the arguments of a motion', () => {
  it.each(kinds)('come back as they were proposed: %s', (kind) => {
    const sample = MOTION_SAMPLES[kind] as MotionArguments[MotionKind]
    expect(motionArguments(kind, encodeMotion(kind, sample))).toEqual(sample)
  })

  it('leave out what is not said', () => {
    const { contactHash: _, ...entry } = MOTION_SAMPLES.admitOrganisation
    expect(motionArguments('admitOrganisation', encodeMotion('admitOrganisation', entry))).toEqual(entry)
    const { node } = MOTION_SAMPLES.suspendNode
    expect(motionArguments('suspendNode', encodeMotion('suspendNode', { node }))).toEqual({ node })
  })

  it('are not made up: bytes that are none, and numbers without a name', () => {
    expect(motionArguments('seat', '0x1234')).toBeUndefined()
    expect(motionArguments('setThreshold', `0x${'99'.padStart(64, '0')}${'1f4'.padStart(64, '0')}`)).toBeUndefined()
  })

  it('keep a quota without limit', () => {
    const read = motionArguments('setNewcomers', encodeMotion('setNewcomers', { ...MOTION_SAMPLES.setNewcomers, gasPerDayTotal: NO_LIMIT }))
    expect(read?.gasPerDayTotal).toBe(NO_LIMIT)
  })
})
