import { strict as assert } from "node:assert";
import protobuf from "protobufjs";
import { readBatchHeader } from "#protocol/records/batch.ts";
import type { SnapshotPoint } from "#raft/core/messages.ts";
import { nodeIdOf, type ReplicaId } from "#raft/core/replica-id.ts";
import type { CatchUp } from "#raft/host/catch-up.ts";
import type { RaftGroup } from "#raft/host/raft-group.ts";
import { isDiskBroken } from "#storage/io/file.ts";
import type { Partition } from "../../partitions/partition.ts";
import {
  decodePartitionStart,
  encodePartitionStart,
  type PartitionStart,
  partitionStart,
} from "../../partitions/partition-start.ts";
import { decodeSnapshot, encodeSnapshot } from "../metadata/metadata-command.ts";
import type { MetadataKeeper } from "../metadata/metadata-keeper.ts";
import { type MetadataStore, metadataGroupId } from "../metadata/metadata-store.ts";
import type { NodeCalls } from "../network/node-calls.ts";

export interface ReplicaCatchUpOptions {
  readonly calls: NodeCalls;
  readonly metadata: MetadataStore;
  readonly keeper: Pick<MetadataKeeper, "install">;
  /** The partition of a group, where it is open here. */
  readonly partitionOf: (groupId: number) => Partition | undefined;
  /** Lets a partition begin anew where its leader does. */
  readonly restart: (partition: Partition, start: PartitionStart) => Promise<void>;
  /** A durable write failed. */
  readonly onFatal: (error: unknown) => void;
}

/** What is asked of another replica: committed batches from an offset on. */
interface BatchesWanted {
  readonly group: number;
  readonly offset: number;
}

/** Whole batches from the offset on, one behind the other, where the next ones begin, and where the log does. */
interface BatchesTold {
  readonly nextOffset: number;
  readonly batches: Uint8Array;
  readonly startOffset: number;
}

const root = protobuf.parse(`
syntax = "proto3";
message Wanted { uint32 group = 1; uint64 offset = 2; }
message Told { uint64 next_offset = 1; bytes batches = 2; uint64 start_offset = 3; }
`).root;
const wantedType = root.lookupType("Wanted");
const toldType = root.lookupType("Told");
const asObject = { longs: Number, defaults: true } as const;

const batchesCall = "batches";
const startCall = "partition-start";
const metadataCall = "metadata-snapshot";
/** Bytes of one answer; a single larger batch comes alone. */
const answerBytesMax = 1 << 20;
const answerMsMax = 30_000;

/** Another replica could not be asked, or had nothing to say: the leader is told and begins anew. */
export class CatchUpFailedError extends Error {
  constructor(group: number, reason: string) {
    super(`Cannot catch up with group ${group}: ${reason}`);
    this.name = "CatchUpFailedError";
  }
}

/**
 * Brings a replica whose leader's log begins behind what it needs close to the leader. Segments hold committed batches
 * alone, so those of the replica are a beginning of the leader's: it takes the rest from there, and the metadata group
 * its whole image. It may get more than the point asks for; what follows the point is then applied once, not twice.
 */
export class ReplicaCatchUp implements CatchUp {
  readonly #options: ReplicaCatchUpOptions;

  constructor(options: ReplicaCatchUpOptions) {
    this.#options = options;
    const { calls, metadata } = options;
    calls.answer(metadataCall, async () => encodeSnapshot(metadata.snapshot()));
    calls.answer(batchesCall, (_, payload) => this.#tellBatches(decodeWanted(payload)));
    calls.answer(startCall, (_, payload) => this.#tellStart(decodeWanted(payload)));
  }

  offer(group: RaftGroup): Promise<number> {
    return Promise.resolve(group.appliedIndex);
  }

  async install(group: RaftGroup, point: SnapshotPoint, leader: ReplicaId): Promise<void> {
    const nodeId = nodeIdOf(leader);
    try {
      if (group.id === metadataGroupId) await this.#installMetadata(point, nodeId);
      else await this.#installBatches(group.id, point, nodeId);
    } catch (error) {
      // The group only begins anew, as it does when the leader could not be reached.
      if (isDiskBroken(error)) this.#options.onFatal(error);
      throw error;
    }
  }

  async #installMetadata(point: SnapshotPoint, nodeId: number): Promise<void> {
    const snapshot = decodeSnapshot(await this.#ask(metadataGroupId, nodeId, metadataCall, noBytes));
    if (snapshot.index < point.index) {
      throw new CatchUpFailedError(
        metadataGroupId,
        `node ${nodeId} has nothing newer than ${snapshot.index}`,
      );
    }
    await this.#options.keeper.install(snapshot);
  }

  /** The leader is asked at least once: its log may begin later, even where there is nothing to copy. */
  async #installBatches(groupId: number, point: SnapshotPoint, nodeId: number): Promise<void> {
    for (let isAsked = false; ; isAsked = true) {
      const partition = this.#partition(groupId);
      const { nextOffset: offset } = partition.log;
      if (isAsked && offset >= point.nextOffset) {
        await partition.log.flush();
        await partition.whenTrimmed();
        return;
      }
      const answer = await this.#ask(groupId, nodeId, batchesCall, encodeWanted({ group: groupId, offset }));
      const { batches, startOffset } = decodeTold(answer);
      if (batches.length > 0) await this.#take(partition, batches);
      else if (offset < startOffset) await this.#restart(partition, nodeId);
      else if (offset < point.nextOffset)
        throw new CatchUpFailedError(groupId, `node ${nodeId} has no batch at ${offset}`);
      partition.raiseStart(startOffset);
    }
  }

  async #take(partition: Partition, batches: Uint8Array): Promise<void> {
    for (const batch of split(batches)) partition.takeCommitted(batch);
    await partition.makeRoom();
  }

  /** Nothing that this replica has is a beginning of the leader's log any more. */
  async #restart(partition: Partition, nodeId: number): Promise<void> {
    const { groupId: group, log } = partition;
    const answer = await this.#ask(group, nodeId, startCall, encodeWanted({ group, offset: log.nextOffset }));
    const start = decodePartitionStart(answer);
    // The start of a log never goes back, so that the leader asked is not the one that told of it.
    if (start.offset < log.nextOffset) throw new CatchUpFailedError(group, `node ${nodeId} starts earlier`);
    await this.#options.restart(partition, start);
  }

  async #tellStart({ group }: BatchesWanted): Promise<Uint8Array> {
    return encodePartitionStart(await partitionStart(this.#partition(group)));
  }

  async #tellBatches({ group, offset }: BatchesWanted): Promise<Uint8Array> {
    const partition = this.#partition(group);
    const { logStartOffset: startOffset, highWatermark } = partition;
    const slice = await partition.log.read({
      offset: Math.min(Math.max(offset, startOffset), highWatermark),
      maxBytes: answerBytesMax,
      upToOffset: highWatermark,
      atLeastOneBatch: true,
    });
    // A start in the middle of a batch has the whole of it behind it.
    const isGone = offset < startOffset && (slice.batchCount === 0 || slice.firstOffset > offset);
    if (isGone) return encodeTold({ nextOffset: offset, batches: noBytes, startOffset });
    const { nextOffset } = slice;
    return encodeTold({ nextOffset, batches: Buffer.concat(slice.chunks, slice.sizeBytes), startOffset });
  }

  #partition(groupId: number): Partition {
    const partition = this.#options.partitionOf(groupId);
    if (partition && !partition.isClosed) return partition;
    throw new CatchUpFailedError(groupId, "it is not open here");
  }

  async #ask(groupId: number, nodeId: number, name: string, payload: Uint8Array): Promise<Uint8Array> {
    const outcome = await this.#options.calls.call(nodeId, name, payload, answerMsMax);
    if (outcome.kind === "answered") return outcome.payload;
    throw new CatchUpFailedError(groupId, `node ${nodeId} did not answer (${outcome.kind})`);
  }
}

function encodeWanted(wanted: BatchesWanted): Uint8Array {
  return wantedType.encode(wantedType.fromObject(wanted)).finish();
}

function decodeWanted(payload: Uint8Array): BatchesWanted {
  return wantedType.toObject(wantedType.decode(payload), asObject) as BatchesWanted;
}

function encodeTold(told: BatchesTold): Uint8Array {
  // Not through a copy of the object: batches are large.
  return toldType.encode(told).finish();
}

function decodeTold(payload: Uint8Array): BatchesTold {
  return toldType.toObject(toldType.decode(payload), asObject) as BatchesTold;
}

/** Cuts batches that lie one behind the other; each gets bytes of its own, for it may outlive the others. */
function* split(batches: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < batches.length; ) {
    const { sizeBytes } = readBatchHeader(batches, at);
    assert(at + sizeBytes <= batches.length);
    yield batches.slice(at, at + sizeBytes);
    at += sizeBytes;
  }
}

const noBytes = new Uint8Array(0);
