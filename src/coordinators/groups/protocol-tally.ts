/** Counts how many members of a group support each protocol, so that a joining member is judged in O(own protocols). */
export class ProtocolTally {
  readonly #supporters = new Map<string, number>();

  /** Counts one member's protocols, each name once. */
  add(names: ReadonlySet<string>): void {
    for (const name of names) this.#supporters.set(name, this.supporters(name) + 1);
  }

  /** Takes back what `add` counted for the same names. */
  remove(names: ReadonlySet<string>): void {
    for (const name of names) {
      const left = this.supporters(name) - 1;
      if (left > 0) this.#supporters.set(name, left);
      else this.#supporters.delete(name);
    }
  }

  supporters(name: string): number {
    return this.#supporters.get(name) ?? 0;
  }

  /** Protocols that `memberCount` members, that is all of them, support. */
  supportedByAll(memberCount: number): Set<string> {
    const names = new Set<string>();
    for (const [name, supporters] of this.#supporters) if (supporters === memberCount) names.add(name);
    return names;
  }
}

/** The ballot with most votes; of equals the one that got its first vote first. */
export function winnerOf(votes: Iterable<string>): string | undefined {
  const counts = new Map<string, number>();
  for (const vote of votes) counts.set(vote, (counts.get(vote) ?? 0) + 1);

  let winner: string | undefined;
  let winnerCount = 0;
  for (const [name, count] of counts) {
    if (count > winnerCount) {
      winner = name;
      winnerCount = count;
    }
  }
  return winner;
}
