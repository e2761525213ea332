/** Randomness as a port, for jitter only; keys and salts come from the system's generator. */
export interface Prng {
  /** Uniform in [0, 1). */
  next(): number
}

/** The process's generator. */
export const systemPrng: Prng = { next: () => Math.random() }
