import { readFile, replaceFile, type SmallFileDisk } from "../snapshots/small-file.ts";

/** Which partition a directory of segments belongs to. A topic that is made again has a new id. */
export interface PartitionIdentity {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
}

/** `<topic>-<partition>`, as Kafka names it. */
export function partitionDirectoryName({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}-${partition}`;
}

/** Topic and partition in a directory's name; undefined for other names. */
export function parsePartitionDirectoryName(name: string): { topic: string; partition: number } | undefined {
  const match = /^(.+)-(\d{1,10})$/.exec(name);
  return match?.[1] ? { topic: match[1], partition: Number(match[2]) } : undefined;
}

/** Name of the file that tells a directory's topic id: it comes first, and goes last. */
export const partitionMetadataName = "partition.metadata";

/** Writes Kafka's `partition.metadata`, durably. @throws DiskError */
export async function writeTopicId(disk: SmallFileDisk, directory: string, topicId: string): Promise<void> {
  const text = `version: 0\ntopic_id: ${topicId}\n`;
  await replaceFile(disk, `${directory}/${partitionMetadataName}`, new TextEncoder().encode(text));
}

/** The topic id in a directory's `partition.metadata`; undefined when it is not there or says none. @throws DiskError */
export async function readTopicId(disk: SmallFileDisk, directory: string): Promise<string | undefined> {
  const bytes = await readFile(disk, `${directory}/${partitionMetadataName}`);
  if (!bytes) return undefined;
  return /^topic_id: (\S+)$/m.exec(new TextDecoder().decode(bytes))?.[1];
}
