import { crc32c } from "#protocol/bytes/crc32c.ts";
import { readBatches } from "#protocol/records/batch.ts";
import type { Partition } from "#src/partitions/partition.ts";
import { OffsetOutOfRangeError } from "#storage/log/log-error.ts";
import type { SimulatedNode } from "./node.ts";
import type { Violation } from "./violation.ts";

const readBytesMax = 1 << 20;
/** Batches that all remember: a fifth one may have made room for one that was taken back and will come again. */
const windowBatches = 4;

/** Replicas of every partition that serve, by the partition's name. */
function replicasOf(nodes: Iterable<SimulatedNode>): Map<string, { host: string; partition: Partition }[]> {
  const replicas = [...nodes].flatMap(({ host, broker }) =>
    [...(broker?.partitions.all() ?? [])].map((partition) => ({ host, partition })),
  );
  return Map.groupBy(replicas, ({ partition }) => `${partition.name}/${partition.topicId}`);
}

/** Whether all replicas of each partition have come equally far. */
export function areReplicasLevel(nodes: Iterable<SimulatedNode>): boolean {
  return [...replicasOf(nodes).values()].every((replicas) => {
    const [first] = replicas;
    return replicas.every(({ partition }) => partition.highWatermark === first?.partition.highWatermark);
  });
}

/** Compares what replicas that are level remember of their producers: any of them may have to answer a batch that comes again. */
export function compareProducers(nodes: Iterable<SimulatedNode>): Violation[] {
  const violations: Violation[] = [];
  for (const [name, [first, ...others]] of replicasOf(nodes)) {
    const known = first && windowsOf(first.partition);
    for (const { host, partition } of others) {
      const windows = windowsOf(partition);
      for (const producerId of new Set([...(known?.keys() ?? []), ...windows.keys()])) {
        const [one, other] = [known?.get(producerId), windows.get(producerId)];
        if (one === other) continue;
        const details = `${name}: producer ${producerId} has sent ${other} to ${host}, and ${one} to ${first?.host}`;
        violations.push({ kind: "producersDiffer", details });
      }
    }
  }
  return violations;
}

/** The last batches of each producer, by its id: epoch, sequences and offsets. */
function windowsOf({ producers }: Partition): Map<number, string> {
  const windows = [...producers.entries()].map(({ producerId, producerEpoch, batches }) => {
    const last = batches.slice(-windowBatches).map(({ baseSequence, lastSequence, baseOffset }) => {
      return `${baseSequence}..${lastSequence} at ${baseOffset}`;
    });
    return [producerId, `${last.join(", ")} in epoch ${producerEpoch}`] as const;
  });
  return new Map(windows);
}

/** Reads all replicas of all partitions and compares what they hold, batch by batch and byte by byte. */
export async function compareReplicas(nodes: Iterable<SimulatedNode>): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const [name, replicas] of replicasOf(nodes)) {
    const known = new Map<number, { host: string; checksum: number }>();
    for (const { host, partition } of replicas) {
      for (const [baseOffset, checksum] of await checksumsOf(partition)) {
        const other = known.get(baseOffset);
        if (!other) known.set(baseOffset, { host, checksum });
        else if (other.checksum !== checksum) {
          const details = `${name}: at offset ${baseOffset} ${host} has another batch than ${other.host}`;
          violations.push({ kind: "replicasDiffer", details });
        }
      }
    }
  }
  return violations;
}

/** The checksum of each batch that a replica has, header included, by base offset. */
async function checksumsOf(partition: Partition): Promise<Map<number, number>> {
  const checksums = new Map<number, number>();
  const { log, highWatermark } = partition;
  const readFrom = async (offset: number) => {
    const bounds = { maxBytes: readBytesMax, upToOffset: highWatermark, atLeastOneBatch: true };
    try {
      return await log.read({ offset, ...bounds });
    } catch (error) {
      if (error instanceof OffsetOutOfRangeError && offset < log.startOffset) return undefined;
      throw error;
    }
  };
  for (let offset = partition.logStartOffset; offset < highWatermark; ) {
    const slice = await readFrom(Math.max(offset, partition.logStartOffset));
    // Retention goes on meanwhile.
    if (!slice) continue;
    if (slice.batchCount === 0) break;
    for (const { batch, header } of readBatches(Buffer.concat(slice.chunks))) {
      checksums.set(header.baseOffset, crc32c(batch));
    }
    offset = slice.nextOffset;
  }
  return checksums;
}
