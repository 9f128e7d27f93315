interface Named {
  readonly name: string;
}

/** The partition went away while something waited on it. */
export class PartitionClosedError extends Error {
  constructor(partition: Named) {
    super(`Cannot use partition "${partition.name}": it is closed`);
    this.name = "PartitionClosedError";
  }
}

/** Another replica leads, or none: what waited may be committed yet, and is to be sent again. */
export class LeadershipLostError extends Error {
  constructor(partition: Named) {
    super(`Cannot tell what becomes of a batch of "${partition.name}": leadership was lost`);
    this.name = "LeadershipLostError";
  }
}

/** It took longer than its producer waits: it may be committed yet. */
export class CommitTimeoutError extends Error {
  constructor(partition: Named) {
    super(`Cannot tell what becomes of a batch of "${partition.name}": it is not committed in time`);
    this.name = "CommitTimeoutError";
  }
}

/** A batch is committed, and fewer replicas than `min.insync.replicas` have it or will soon. */
export class NotEnoughReplicasError extends Error {
  constructor(partition: Named) {
    super(`Cannot bring a batch of "${partition.name}" to enough replicas: too few keep up`);
    this.name = "NotEnoughReplicasError";
  }
}
