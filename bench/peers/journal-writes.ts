/** What the journals of a cluster's nodes did so far, from their metrics. */
export interface JournalWrites {
  readonly writes: number;
  /** Passes that had something to write: each waits for its durable writes once. */
  readonly passes: number;
}

/** Sums over all nodes; undefined where there are no metrics of that kind. */
export async function readJournalWrites(metrics: readonly string[]): Promise<JournalWrites | undefined> {
  if (metrics.length === 0) return undefined;
  const texts = await Promise.all(metrics.map(async (address) => await (await fetch(address)).text()));
  const sum = (name: string): number => texts.reduce((total, text) => total + sampleOf(text, name), 0);
  return {
    writes: sum("millrace_journal_writes_total"),
    passes: sum("millrace_journal_flush_latency_seconds_count"),
  };
}

/** Durable writes for each pass between two readings. */
export function writesPerPass(
  before: JournalWrites | undefined,
  after: JournalWrites | undefined,
): number | undefined {
  if (!before || !after || after.passes === before.passes) return undefined;
  return (after.writes - before.writes) / (after.passes - before.passes);
}

function sampleOf(text: string, name: string): number {
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? 0);
}
