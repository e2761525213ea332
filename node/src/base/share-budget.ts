/** Something of which all parties together hold so much at most, and one party so much of it. */
export interface ShareBudget {
  /**
   * @param party who is to hold it, such as an address
   * @returns what gives it back, once however often it is called; or which bound it would break
   */
  take(party: string, amount: number): (() => void) | 'total' | 'share'
  readonly held: number
}

export function createShareBudget({ totalMax, shareMax }: { totalMax: number; shareMax: number }): ShareBudget {
  const shares = new Map<string, number>()
  let held = 0
  const add = (party: string, amount: number): void => {
    held += amount
    const share = (shares.get(party) ?? 0) + amount
    if (share === 0) shares.delete(party)
    else shares.set(party, share)
  }
  return {
    get held() {
      return held
    },
    take(party, amount) {
      if (held + amount > totalMax) return 'total'
      if ((shares.get(party) ?? 0) + amount > shareMax) return 'share'
      add(party, amount)
      let isHeld = true
      return () => {
        if (isHeld) add(party, -amount)
        isHeld = false
      }
    },
  }
}
