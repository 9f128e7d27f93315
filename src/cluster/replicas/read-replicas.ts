import protobuf from "protobufjs";
import type { Partition } from "../../partitions/partition.ts";
import type { MetadataImage } from "../metadata/metadata-image.ts";
import type { NodeCalls } from "../network/node-calls.ts";

/** Where the sender's replicas begin, in two columns. */
const newsType = protobuf
  .parse(`
syntax = "proto3";
message LogStarts { repeated uint32 groups = 1; repeated uint64 start_offsets = 2; }
`)
  .root.lookupType("LogStarts");

const newsName = "log-starts";

export interface ReadReplicasOptions {
  readonly nodeId: number;
  /** Undefined where this node is alone: then everybody reads here. */
  readonly calls: NodeCalls | undefined;
  readonly isRackAware: () => boolean;
  readonly image: () => MetadataImage;
  /** All partitions that have a replica here. */
  readonly partitions: () => Iterable<Partition>;
}

/** What a leader was told last of one of this node's replicas. */
interface Told {
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly startOffset: number;
}

/** How often `tell` is to be called. */
export const tellLogStartsMs = 1_000;
/** Somebody reads at the leader as well as anywhere. */
const noReplica = -1;

/**
 * Sends consumers to replicas in their own rack (KIP-392, replica.selector.class).
 *
 * A replica's log may begin later than its leader's, for each applies retention by itself; so replicas tell their
 * leaders where they begin, and one that has not told is sent nobody: its reader would be sent to and fro.
 */
export class ReadReplicas {
  readonly #options: ReadReplicasOptions;
  /** What other nodes' replicas have told this one, by group, then node. */
  readonly #heard = new Map<number, Map<number, number>>();
  /** By group. */
  readonly #told = new Map<number, Told>();

  constructor(options: ReadReplicasOptions) {
    this.#options = options;
    options.calls?.hear(newsName, (from, payload) => this.#hear(from, payload));
  }

  /** The node that a consumer of a rack should read from instead of this leader; -1 for none. */
  preferred(partition: Partition, { rackId, fetchOffset }: { rackId: string; fetchOffset: number }): number {
    const { isRackAware, image, nodeId } = this.#options;
    if (rackId === "" || !isRackAware()) return noReplica;
    const { brokers } = image();
    if (brokers.get(nodeId)?.rack === rackId) return noReplica;
    const starts = this.#heard.get(partition.groupId);
    let best = noReplica;
    let bestEndOffset = -1;
    for (const other of partition.replicas.inSyncNodes) {
      const broker = brokers.get(other);
      if (other === nodeId || broker?.rack !== rackId || broker.isFenced) continue;
      const endOffset = partition.replicas.endOffsetOn(other);
      const hasOffset = (starts?.get(other) ?? Infinity) <= fetchOffset && fetchOffset <= endOffset;
      if (!hasOffset || endOffset <= bestEndOffset) continue;
      best = other;
      bestEndOffset = endOffset;
    }
    return best;
  }

  /** Tells leaders where the replicas here begin, as far as they do not know. */
  tell(): void {
    const { calls, isRackAware, partitions } = this.#options;
    if (!calls || !isRackAware()) return;
    const news = new Map<number, Partition[]>();
    const known = new Set<number>();
    for (const partition of partitions()) {
      known.add(partition.groupId);
      const leaderId = partition.followedNodeId;
      if (leaderId < 0 || this.#hasTold(partition, leaderId)) continue;
      news.set(leaderId, [...(news.get(leaderId) ?? []), partition]);
    }
    for (const [leaderId, changed] of news) this.#tell(leaderId, changed);
    for (const groupId of this.#told.keys()) if (!known.has(groupId)) this.#told.delete(groupId);
    for (const groupId of this.#heard.keys()) if (!known.has(groupId)) this.#heard.delete(groupId);
  }

  #hasTold({ groupId, leaderEpoch, logStartOffset }: Partition, leaderId: number): boolean {
    const told = this.#told.get(groupId);
    return (
      told?.leaderId === leaderId && told.leaderEpoch === leaderEpoch && told.startOffset === logStartOffset
    );
  }

  #tell(leaderId: number, partitions: readonly Partition[]): void {
    const groups = partitions.map(({ groupId }) => groupId);
    const startOffsets = partitions.map(({ logStartOffset }) => logStartOffset);
    const payload = newsType.encode(newsType.fromObject({ groups, startOffsets })).finish();
    if (!this.#options.calls?.tell(leaderId, newsName, payload)) return;
    for (const { groupId, leaderEpoch, logStartOffset: startOffset } of partitions) {
      this.#told.set(groupId, { leaderId, leaderEpoch, startOffset });
    }
  }

  #hear(from: number, payload: Uint8Array): void {
    const { groups, startOffsets } = newsType.toObject(newsType.decode(payload), {
      longs: Number,
      arrays: true,
    }) as { groups: number[]; startOffsets: number[] };
    for (const [at, groupId] of groups.entries()) {
      const starts = this.#heard.get(groupId) ?? new Map<number, number>();
      this.#heard.set(groupId, starts.set(from, startOffsets[at] ?? 0));
    }
  }
}
