/**
 * Powers modulo numbers of up to 128 bits, in limbs that doubles multiply exactly. EIP-2565 prices such a modulus by whole
 * words of 64 bits, the least of them far too low for big integers, each of whose operations allocates: a block of 6.5 M gas
 * full of 8-byte moduli and 75-byte exponents took 1.7 s.
 */
const LIMB_BITS = 22
const LIMB = 2 ** LIMB_BITS
const MASK = LIMB - 1
const WINDOW_BITS = 4
/** Two bits of every modulus's limbs stay free (66 of 3 limbs, 132 of 6), so that no product needs a last subtraction. */
export const SMALL_MODULUS_BITS = 128

type Limbs = Float64Array

/** An odd modulus as Montgomery multiplication needs it. */
interface Modulus {
  readonly limbs: Limbs
  /** −modulus⁻¹ modulo the limb. */
  readonly inverse: number
}

/**
 * @param base below `modulus`
 * @param exponent its hexadecimal digits
 * @param modulus from 2 to below 2^128
 */
export function smallModPow(base: bigint, exponent: string, modulus: bigint): bigint {
  const twos = trailingZeros(modulus)
  const odd = modulus >> BigInt(twos)
  const byOdd = odd === 1n ? 0n : powOdd(base % odd, exponent, odd)
  if (twos === 0) return byOdd
  // Both answers are put together (Chinese remainder theorem).
  const byTwos = powTwos(base, BigInt(`0x${exponent}`), twos)
  return byOdd + odd * BigInt.asUintN(twos, (byTwos - byOdd) * inverseModTwos(odd, twos))
}

function trailingZeros(value: bigint): number {
  let zeros = 0
  while (BigInt.asUintN(1, value >> BigInt(zeros)) === 0n) zeros++
  return zeros
}

/** Modulo 2^bits. Powers of an odd base repeat after 2^bits of them, those of an even one are soon zero. */
function powTwos(base: bigint, exponent: bigint, bits: number): bigint {
  const isEven = BigInt.asUintN(1, base) === 0n
  if (isEven && exponent >= BigInt(bits)) return 0n
  let left = BigInt.asUintN(bits, exponent)
  let square = base
  let result = 1n
  for (; left > 0n; left >>= 1n) {
    if (BigInt.asUintN(1, left) === 1n) result = BigInt.asUintN(bits, result * square)
    square = BigInt.asUintN(bits, square * square)
  }
  return BigInt.asUintN(bits, result)
}

/** Newton's iteration: each step doubles the bits that are right; one is right at first, of any odd number. */
function inverseModTwos(odd: bigint, bits: number): bigint {
  let inverse = 1n
  for (let right = 1; right < bits; right *= 2) inverse = BigInt.asUintN(bits, inverse * (2n - odd * inverse))
  return BigInt.asUintN(bits, inverse)
}

function powOdd(base: bigint, exponent: string, odd: bigint): bigint {
  const count = odd >> 64n === 0n ? 3 : 6
  const modulus = { limbs: toLimbs(odd, count), inverse: Number(inverseModTwos(LIMB_VALUE - (odd % LIMB_VALUE), LIMB_BITS)) }
  const radix = BigInt(count * LIMB_BITS)
  const one = toLimbs((1n << radix) % odd, count)
  const powers = [one, toLimbs((base << radix) % odd, count)]
  const result = Float64Array.from(one)
  const other = new Float64Array(count)
  let [from, to] = [result, other]
  const times = (factor: Limbs): void => {
    multiply(from, factor, modulus, to)
    ;[from, to] = [to, from]
  }
  for (let at = 0; at < exponent.length; at++) {
    if (at > 0) for (let bit = 0; bit < WINDOW_BITS; bit++) times(from)
    const digit = parseInt(exponent[at]!, 16)
    while (powers.length <= digit) powers.push(multiply(powers.at(-1)!, powers[1]!, modulus, new Float64Array(count)))
    if (digit > 0) times(powers[digit]!)
  }
  times(toLimbs(1n, count))
  return fromLimbs(from) % odd
}

const LIMB_VALUE = BigInt(LIMB)

function toLimbs(value: bigint, count: number): Limbs {
  return Float64Array.from({ length: count }, (_, at) => Number(BigInt.asUintN(LIMB_BITS, value >> BigInt(at * LIMB_BITS))))
}

function fromLimbs(limbs: Limbs): bigint {
  return limbs.reduceRight((value, limb) => (value << BigInt(LIMB_BITS)) + BigInt(limb), 0n)
}

/**
 * Montgomery's product a·b·R⁻¹ into `into`, which is neither factor. Operands and product are below twice the modulus. Sums stay
 * below 2^46 and so exact; `&` takes the low bits of doubles of any size below 2^53.
 */
function multiply(a: Limbs, b: Limbs, { limbs, inverse }: Modulus, into: Limbs): Limbs {
  const count = limbs.length
  into.fill(0)
  for (let i = 0; i < count; i++) {
    const factor = a[i]!
    const lowest = factor * b[0]! + into[0]!
    const quotient = ((lowest & MASK) * inverse) & MASK
    let carry = (lowest + quotient * limbs[0]!) / LIMB
    for (let j = 1; j < count; j++) {
      const sum = factor * b[j]! + quotient * limbs[j]! + into[j]! + carry
      const low = sum & MASK
      into[j - 1] = low
      carry = (sum - low) / LIMB
    }
    into[count - 1] = carry
  }
  return into
}
