import { GroupMember } from "#src/cli/client/group-member.ts";
import { listOffsets, specialTimes } from "#src/cli/client/offsets.ts";
import { PartitionLeaders, partitionKey } from "#src/cli/client/partition-leaders.ts";
import { PartitionReader } from "#src/cli/client/partition-reader.ts";
import type { Address } from "../load/load-connection.ts";
import { emptyTally, type PartitionLedger, ReadingCheck, type ReadingTally } from "./ledger.ts";
import { connectCluster, pause } from "./soak-client.ts";
import type { SoakTopic } from "./soak-plan.ts";
import { numberOf } from "./soak-records.ts";

const pollRecordsMax = 2_000;
const commitEveryMs = 1_000;
const sessionTimeoutMs = 10_000;

/** A consumer group as a whole: what its members have seen together of each partition. */
export class GroupFollower {
  readonly groupId: string;
  readonly topics: readonly SoakTopic[];
  readonly tally: ReadingTally = emptyTally();
  readonly #checks = new Map<string, ReadingCheck>();

  constructor(groupId: string, topics: readonly SoakTopic[]) {
    this.groupId = groupId;
    this.topics = topics;
    for (const { name: topic, partitions, keys } of topics) {
      for (let partition = 0; partition < partitions; partition++) {
        const check = new ReadingCheck(this.tally, { mayHaveGaps: keys > 0, from: 0 });
        this.#checks.set(partitionKey({ topic, partition }), check);
      }
    }
  }

  checkOf(place: { topic: string; partition: number }): ReadingCheck | undefined {
    return this.#checks.get(partitionKey(place));
  }

  /** Records that are acknowledged and were not delivered yet, in all partitions. */
  lagOf(ledgers: readonly PartitionLedger[]): number {
    return ledgers.reduce(
      (sum, ledger) => sum + Math.max(0, ledger.acknowledgedCount - (this.checkOf(ledger)?.next ?? 0)),
      0,
    );
  }
}

/** One member of a group: reads, commits every second, and now and then leaves and comes again. */
export class GroupReader {
  readonly #address: Address;
  readonly #group: GroupFollower;
  readonly #onFault: (error: Error) => void;
  #isStopping = false;
  #mustLeave = false;

  constructor(address: Address, group: GroupFollower, onFault: (error: Error) => void) {
    this.#address = address;
    this.#group = group;
    this.#onFault = onFault;
  }

  /** Leaves the group at the next chance and joins it anew. */
  leaveOnce(): void {
    this.#mustLeave = true;
  }

  stop(): void {
    this.#isStopping = true;
  }

  /** Resolves when it was stopped and has left. */
  async run(): Promise<void> {
    while (!this.#isStopping) {
      this.#mustLeave = false;
      try {
        await this.#belong();
      } catch (error) {
        this.#onFault(error instanceof Error ? error : new Error(String(error)));
        await pause(commitEveryMs);
      }
    }
  }

  async #belong(): Promise<void> {
    const { groupId, topics } = this.#group;
    const names = topics.map(({ name }) => name);
    using cluster = await connectCluster(this.#address, `soak-${groupId}`);
    const leaders = new PartitionLeaders(cluster);
    await leaders.learn(names);
    const reader = new PartitionReader(cluster, leaders, {
      isCommittedOnly: true,
      onOutOfRange: "beginning",
    });
    const member = new GroupMember(cluster, leaders, {
      groupId,
      topics: names,
      sessionTimeoutMs,
      startOf: async (partitions) => {
        const timestampMs = specialTimes.beginning;
        const offsets = await listOffsets(cluster, leaders, { partitions, timestampMs });
        return partitions.map((place) => ({ ...place, offset: offsets.get(partitionKey(place)) ?? 0 }));
      },
    });
    let storedMs = performance.now();
    while (!this.#isStopping && !this.#mustLeave) {
      if (member.mustJoin) await this.#join(member, reader);
      for (const record of await reader.poll(pollRecordsMax)) {
        this.#group.checkOf(record)?.take(record.offset, numberOf(record));
      }
      for (const place of reader.positions) this.#group.checkOf(place)?.passed(place.offset);
      if (performance.now() - storedMs < commitEveryMs) continue;
      await this.#commit(member, reader);
      storedMs = performance.now();
    }
    await this.#commit(member, reader);
    await member.leave();
  }

  async #join(member: GroupMember, reader: PartitionReader): Promise<void> {
    const assigned = await member.join();
    for (const place of assigned) this.#group.checkOf(place)?.resumed(place.offset);
    reader.assign(assigned);
  }

  /** What the broker confirms must never be forgotten; a member that has to join again was not confirmed. */
  async #commit(member: GroupMember, reader: PartitionReader): Promise<void> {
    const { positions } = reader;
    await member.commit(positions);
    if (member.mustJoin) return;
    for (const place of positions) this.#group.checkOf(place)?.committed(place.offset);
  }
}
