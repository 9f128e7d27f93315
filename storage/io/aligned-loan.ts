import { ArenaFullError } from "./buffer-arena.ts";

/** Aligned memory for a while, as `BufferArena` gives it. */
export interface AlignedMemory {
  /** At least `sizeBytes` long, aligned to `blockBytes`; throws ArenaFullError at its bound. */
  allocate(sizeBytes: number): Uint8Array;
  release(bytes: Uint8Array): void;
}

interface Loans {
  lentCount: number;
  /** First come, first served, so that a large loan is not overtaken for ever. */
  readonly waiting: (() => void)[];
}

const loansOf = new WeakMap<AlignedMemory, Loans>();

/**
 * Lends aligned memory for the time of `work`, and waits while others have it: many readers at once are slow, not
 * refused. No loan may be taken inside another one's `work`. @throws ArenaFullError when nobody has any to give back
 */
export async function withAligned<T>(
  arena: AlignedMemory,
  sizeBytes: number,
  work: (buffer: Uint8Array) => Promise<T>,
): Promise<T> {
  const loans = loansOf.get(arena) ?? { lentCount: 0, waiting: [] };
  loansOf.set(arena, loans);
  if (loans.waiting.length > 0) await turn(loans);
  const buffer = await take(arena, sizeBytes, loans);
  try {
    // Those behind may fit as well.
    loans.waiting.shift()?.();
    return await work(buffer);
  } finally {
    arena.release(buffer);
    loans.lentCount--;
    loans.waiting.shift()?.();
  }
}

async function take(arena: AlignedMemory, sizeBytes: number, loans: Loans): Promise<Uint8Array> {
  for (;;) {
    try {
      const buffer = arena.allocate(sizeBytes);
      loans.lentCount++;
      return buffer;
    } catch (error) {
      if (!(error instanceof ArenaFullError) || loans.lentCount === 0) {
        loans.waiting.shift()?.(); // Nobody else would wake them.
        throw error;
      }
      await new Promise<void>((wake) => loans.waiting.unshift(wake));
    }
  }
}

function turn(loans: Loans): Promise<void> {
  return new Promise((wake) => loans.waiting.push(wake));
}
