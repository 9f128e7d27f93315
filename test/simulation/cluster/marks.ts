/** Rare states that runs should reach; a run that never does proves less than it seems. */
export const markNames = [
  "crash with writes in flight",
  "crash during recovery",
  "torn journal tail cut",
  "segment tail cut",
  "graceful stop and start",
  "paused for longer than a session",
  "wall clock jumped back",
  "wall clock jumped hours ahead",
  "duplicate batch answered",
  "duplicate batch answered after a restart",
  "producer gave up a batch",
  "batch sent again",
  "several batches of a partition in flight",
  "start of a log passed by a reader",
  "connection reset under a request",
  "connection timed out",
  "produce waited for the disk",
  "disk full",
  "write failed and the broker ended",
  "read answered with a flipped bit",
  "segment rolled",
  "segments removed by retention",
  "group rebalanced",
  "member fenced",
  "topic made again under its name",
  "fetch woken by a produce",
  "leadership moved",
  "leadership of the metadata moved",
  "coordinator moved",
  "leadership handed over",
  "leader stepped down in its own term",
  "leader cut off",
  "power lost everywhere at once",
  "vote refused",
  "append of an old leader refused",
  "uncommitted tail truncated",
  "durable tail truncated",
  "tail truncated under a write",
  "entries of an earlier term applied by a leader",
  "replica caught up from segments",
  "duplicate batch answered after a failover",
  "produce refused for want of replicas",
  "partition moved to another node",
] as const;

export type Mark = (typeof markNames)[number];

/** Which marks one run has reached. */
export class Marks {
  readonly #reached = new Set<Mark>();

  reach(mark: Mark): void {
    this.#reached.add(mark);
  }

  get reached(): ReadonlySet<Mark> {
    return this.#reached;
  }
}
