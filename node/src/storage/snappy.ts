/** A block that is compressed holds at most this, in bytes: LevelDB's blocks have some KiB. */
const BYTES_MAX = 64 * 1024 * 1024

/**
 * Snappy's raw format (format_description.txt): the length, then literals and copies of what came before.
 * @throws RangeError for what is not that
 */
export function unsnap(bytes: Uint8Array): Uint8Array {
  let at = 0
  const next = (): number => {
    const byte = bytes[at++]
    if (byte === undefined) throw new RangeError('a compressed block ends too early')
    return byte
  }
  const little = (count: number): number => {
    let value = 0
    for (let index = 0; index < count; index++) value += next() * 256 ** index
    return value
  }
  const output = new Uint8Array(lengthFrom(next))
  let written = 0
  const copy = (length: number, offset: number): void => {
    if (offset === 0 || offset > written || written + length > output.length) throw new RangeError('a copy from nowhere')
    // Byte by byte: a copy may overlap what it writes.
    for (let end = written + length; written < end; written++) output[written] = output[written - offset]!
  }
  const literal = (length: number): void => {
    if (at + length > bytes.length || written + length > output.length) throw new RangeError('a literal is too long')
    output.set(bytes.subarray(at, at + length), written)
    at += length
    written += length
  }
  while (at < bytes.length) {
    const tag = next()
    const upper = tag >> 2
    if ((tag & 3) === 0) literal((upper < 60 ? upper : little(upper - 59)) + 1)
    else if ((tag & 3) === 1) copy((upper & 7) + 4, ((tag >> 5) << 8) + next())
    else copy(upper + 1, little((tag & 3) === 2 ? 2 : 4))
  }
  if (written !== output.length) throw new RangeError('a compressed block has another length than it says')
  return output
}

function lengthFrom(next: () => number): number {
  let value = 0
  for (let shift = 1; ; shift *= 128) {
    const byte = next()
    value += (byte & 127) * shift
    if (value > BYTES_MAX) throw new RangeError(`a compressed block says that it has more than ${BYTES_MAX} bytes`)
    if (byte < 128) return value
  }
}
