import type { SourceBug } from "./source-bug.ts";

/** Bugs in what a broker makes of its groups: what shows when leadership moves, or a replica comes back. */
export const failoverBugs: readonly SourceBug[] = [
  {
    name: "serves as leader before it has applied what was committed",
    trap: "the high watermark never goes back across a failover",
    edits: [
      {
        file: "raft/host/raft-group.ts",
        from: "return this.#appliedTerm === this.raft.term && this.isLeader;",
        to: "return this.isLeader;",
      },
    ],
  },
  {
    name: "loses the dedupe window on a failover",
    trap: "the dedupe window survives a failover",
    edits: [
      {
        file: "src/partitions/partition.ts",
        from: "else this.#restoreProducer(header);",
        to: "",
      },
    ],
  },
  {
    name: "keeps sequence numbers of batches that were never committed",
    trap: "a duplicate is one of a batch that is there",
    edits: [
      {
        file: "src/partitions/partition.ts",
        from: "    this.producers.truncateTo(this.highWatermark);\n",
        to: "",
      },
    ],
  },
  {
    name: "loses the dedupe window of batches that it copied",
    trap: "catching up brings producer state along",
    edits: [
      {
        file: "src/partitions/partition.ts",
        from: "    this.log.append(batch, header);\n    this.#restoreProducer(header);\n",
        to: "    this.log.append(batch, header);\n",
      },
    ],
  },
  {
    name: "answers a duplicate before its batch is committed",
    trap: "a duplicate is acknowledged only after its batch is committed",
    edits: [
      {
        file: "src/handlers/produce.ts",
        from: "committed: request.acks === 0 ?",
        to: 'committed: request.acks === 0 || outcome.kind === "duplicate" ?',
      },
    ],
  },
  {
    name: "acknowledges what waits when it loses leadership",
    trap: "what was appended and not committed is indefinite",
    edits: [
      {
        file: "src/partitions/commit-waiters.ts",
        from: "for (const { reject } of this.#uncommitted.splice(0)) reject(newError());",
        to: "for (const { resolve } of this.#uncommitted.splice(0)) resolve();",
      },
    ],
  },
  {
    name: "takes batches while it does not lead",
    trap: "only the leader numbers batches",
    edits: [
      {
        file: "src/handlers/produce.ts",
        from: "  if (!partition.isLeader) {\n    partition.refusedForNow();\n    return refused(data, ErrorCode.notLeaderOrFollower, null);\n  }\n",
        to: "",
      },
      {
        file: "src/partitions/partition.ts",
        from: 'if (!group?.canPropose || !this.isLeader) {\n      this.refusedForNow();\n      return { kind: "notLeader" };\n    }',
        to: 'if (!group) return { kind: "notLeader" };\n    if (!group.canPropose) return { kind: "duplicate", baseOffset: group.nextOffset, nextOffset: 0, maxTimestampMs: 0 };',
      },
    ],
  },
  {
    name: "lets its high watermark reach what is not committed",
    trap: "nothing is visible before it is committed",
    edits: [
      {
        file: "src/partitions/partition.ts",
        from: "  get highWatermark(): number {\n    return this.log.nextOffset;",
        to: "  get highWatermark(): number {\n    return this.#group?.isSettledLeader ? Math.max(this.log.nextOffset, this.#group.nextOffset) : this.log.nextOffset;",
      },
    ],
  },
  {
    name: "coordinates groups from a log that it does not lead yet",
    trap: "coordinators answer only from applied state of their term",
    edits: [
      {
        file: "src/partitions/partition.ts",
        from: "return !this.#isClosed && (this.#group?.isSettledLeader ?? false);",
        to: "return !this.#isClosed && (this.#group?.isLeader ?? false);",
      },
    ],
  },
  {
    name: "coordinates groups on when it leads no more",
    trap: "an old coordinator answers nothing",
    edits: [
      {
        file: "src/broker.ts",
        from: "if (partition.topic === offsetsTopicName) this.groups.resign(partition.index);",
        to: "",
      },
      {
        file: "src/coordinators/groups/group-coordinator.ts",
        from: "    assert(!this.#shards.has(partition));\n",
        to: "    if (this.#shards.has(partition)) return;\n",
      },
    ],
  },
  {
    name: "does not load groups that another node coordinated",
    trap: "group state survives a failover",
    edits: [
      {
        file: "src/coordinators/groups/group-coordinator.ts",
        from: "      await loadShard(shard);\n",
        to: '      shard.status = "active";\n',
      },
    ],
  },
  {
    name: "answers commits of offsets before they are committed",
    trap: "coordinators answer only from applied state",
    edits: [
      {
        file: "src/coordinators/offsets-topic.ts",
        from: "      await partition.whenCommitted(outcome.nextOffset);\n",
        to: "      partition.whenCommitted(outcome.nextOffset).catch(() => undefined);\n",
      },
    ],
  },
  {
    name: "takes an indefinite change of metadata for done",
    trap: "an answered change of metadata is committed",
    edits: [
      {
        file: "src/cluster/membership/metadata-forwarder.ts",
        from: 'return fate ?? { kind: "indefinite" };',
        to: 'return fate ?? { kind: "done" };',
      },
    ],
  },
  {
    name: "answers changes of metadata when it loses leadership",
    trap: "what was proposed and not committed is indefinite",
    edits: [
      {
        file: "src/cluster/metadata/metadata-store.ts",
        from: 'outcome.resolve({ kind: "indefinite" });',
        to: 'outcome.resolve({ kind: "applied", index: 0, result: { kind: "done" } });',
      },
    ],
  },
  {
    name: "joins with the metadata that it had",
    trap: "a node that starts knows all that it has done",
    edits: [
      {
        file: "src/cluster/cluster-member.ts",
        from: 'while (metadata.image.clusterId === "" || !(await this.#isCaughtUp())) {',
        to: 'while (metadata.image.clusterId === "") {',
      },
    ],
  },
  {
    name: "installs a point before its batches are durable",
    trap: "what an install stands for is durable before it counts",
    edits: [
      {
        file: "src/cluster/replicas/replica-catch-up.ts",
        from: "        await partition.log.flush();\n",
        to: "",
      },
    ],
  },
  {
    name: "installs a point without the batches before it",
    trap: "a replica that was far behind gets all that it missed",
    edits: [
      {
        file: "src/cluster/replicas/replica-catch-up.ts",
        from: "if (isAsked && offset >= point.nextOffset) {",
        to: "if (isAsked && offset >= 0) {",
      },
    ],
  },
  {
    name: "reads entries of the journal from where others were written since",
    trap: "a place in the journal belongs to one entry",
    // A replica that is new asks for entries that all others have long had.
    nodeCount: 5,
    edits: [
      {
        file: "src/runtime/entry-places.ts",
        from: "    this.#count = index + 1 - this.#firstIndex;\n",
        to: "    this.#count = Math.max(this.#count, index + 1 - this.#firstIndex);\n",
      },
    ],
  },
  {
    name: "drops the last entry of the journal when it starts, beside others",
    trap: "what the journal holds is durable",
    edits: [
      {
        file: "src/runtime/journal-log-store.ts",
        from: "return { hardState, floor, ...decodeFloorState(floor), entries };",
        to: "return { hardState, floor, ...decodeFloorState(floor), entries: entries.slice(0, -1) };",
      },
    ],
  },
];
