import { strict as assert } from "node:assert";
import protobuf from "protobufjs";
import { readBatchHeader } from "#protocol/records/batch.ts";
import type { SnapshotPoint } from "#raft/core/messages.ts";
import { nodeIdOf, type ReplicaId } from "#raft/core/replica-id.ts";
import type { CatchUp } from "#raft/host/catch-up.ts";
import type { RaftGroup } from "#raft/host/raft-group.ts";
import type { Partition } from "../partitions/partition.ts";
import { decodeSnapshot, encodeSnapshot } from "./metadata-command.ts";
import type { MetadataKeeper } from "./metadata-keeper.ts";
import { type MetadataStore, metadataGroupId } from "./metadata-store.ts";
import type { NodeCalls } from "./node-calls.ts";

export interface ReplicaCatchUpOptions {
  readonly calls: NodeCalls;
  readonly metadata: MetadataStore;
  readonly keeper: Pick<MetadataKeeper, "install">;
  /** The partition of a group, where it is open here. */
  readonly partitionOf: (groupId: number) => Partition | undefined;
}

/** What is asked of another replica: committed batches from an offset on. */
interface BatchesWanted {
  readonly group: number;
  readonly offset: number;
}

/** Whole batches from the offset on, one behind the other, and where the next ones begin. */
interface BatchesTold {
  readonly nextOffset: number;
  readonly batches: Uint8Array;
}

const root = protobuf.parse(`
syntax = "proto3";
message Wanted { uint32 group = 1; uint64 offset = 2; }
message Told { uint64 next_offset = 1; bytes batches = 2; }
`).root;
const wantedType = root.lookupType("Wanted");
const toldType = root.lookupType("Told");
const asObject = { longs: Number, defaults: true } as const;

const batchesCall = "batches";
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
    calls.answer(batchesCall, (_, payload) =>
      this.#tellBatches(wantedType.toObject(wantedType.decode(payload), asObject) as BatchesWanted),
    );
  }

  offer(group: RaftGroup): Promise<number> {
    return Promise.resolve(group.appliedIndex);
  }

  async install(group: RaftGroup, point: SnapshotPoint, leader: ReplicaId): Promise<void> {
    const nodeId = nodeIdOf(leader);
    if (group.id === metadataGroupId) await this.#installMetadata(point, nodeId);
    else await this.#installBatches(group.id, point, nodeId);
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

  async #installBatches(groupId: number, point: SnapshotPoint, nodeId: number): Promise<void> {
    for (;;) {
      const partition = this.#options.partitionOf(groupId);
      if (!partition || partition.isClosed) throw new CatchUpFailedError(groupId, "it is not open here");
      const offset = partition.log.nextOffset;
      if (offset >= point.nextOffset) {
        await partition.log.flush();
        return;
      }
      const wanted = wantedType.encode(wantedType.fromObject({ group: groupId, offset })).finish();
      const answer = await this.#ask(groupId, nodeId, batchesCall, wanted);
      const { batches } = toldType.toObject(toldType.decode(answer), asObject) as BatchesTold;
      if (batches.length === 0)
        throw new CatchUpFailedError(groupId, `node ${nodeId} has no batch at ${offset}`);
      for (const batch of split(batches)) partition.takeCommitted(batch);
      await partition.makeRoom();
    }
  }

  async #tellBatches({ group, offset }: BatchesWanted): Promise<Uint8Array> {
    const partition = this.#options.partitionOf(group);
    if (!partition) throw new CatchUpFailedError(group, "it is not open here");
    const slice = await partition.log.read({
      // What retention has removed nobody gets any more.
      offset: Math.max(offset, partition.logStartOffset),
      maxBytes: answerBytesMax,
      upToOffset: partition.highWatermark,
      atLeastOneBatch: true,
    });
    const { nextOffset } = slice;
    return toldType.encode({ nextOffset, batches: Buffer.concat(slice.chunks, slice.sizeBytes) }).finish();
  }

  async #ask(groupId: number, nodeId: number, name: string, payload: Uint8Array): Promise<Uint8Array> {
    const outcome = await this.#options.calls.call(nodeId, name, payload, answerMsMax);
    if (outcome.kind === "answered") return outcome.payload;
    throw new CatchUpFailedError(groupId, `node ${nodeId} did not answer (${outcome.kind})`);
  }
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
