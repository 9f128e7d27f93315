import { OffsetCommit } from "#protocol/messages/offset-commit.ts";
import { OffsetFetch } from "#protocol/messages/offset-fetch.ts";
import { expectAccepted } from "./client-errors.ts";
import type { Cluster } from "./cluster.ts";
import type { TopicPartition } from "./partition-leaders.ts";

/** An offset that a group stored: the next one that it will read. */
export interface CommittedOffset extends TopicPartition {
  readonly offset: number;
}

/** Who commits: a member of a generation, or an operator from outside a group without members. */
export interface Committer {
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
}

/** One group is asked for in these versions, and topics go by name. */
const offsetFetchVersionMax = 7;
const offsetCommitVersionMax = 9;

/** What the group has stored: for these partitions, or for all; partitions without an offset are left out. */
export async function fetchCommitted(
  cluster: Cluster,
  groupId: string,
  partitions: readonly TopicPartition[] | "all",
): Promise<readonly CommittedOffset[]> {
  const topics =
    partitions === "all"
      ? null
      : [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, ofTopic]) => ({
          name,
          partitionIndexes: ofTopic.map(({ partition }) => partition),
        }));
  return await cluster.retry(async () => {
    const connection = await cluster.connectionTo(await cluster.coordinatorOf(groupId));
    const answer = await connection.request(
      OffsetFetch,
      { groupId, topics, groups: [], requireStable: false },
      { versionMax: offsetFetchVersionMax },
    );
    expectAccepted(`read the offsets of group "${groupId}"`, answer.errorCode);
    return answer.topics.flatMap(({ name: topic, partitions: stored }) =>
      stored.flatMap(({ partitionIndex: partition, committedOffset: offset, errorCode }) => {
        expectAccepted(`read the offsets of group "${groupId}"`, errorCode);
        return offset < 0 ? [] : [{ topic, partition, offset }];
      }),
    );
  });
}

/** Stores offsets. @throws RefusedError */
export async function commitOffsets(
  cluster: Cluster,
  { groupId, generationId, memberId }: Committer,
  offsets: readonly CommittedOffset[],
): Promise<void> {
  if (offsets.length === 0) return;
  const topics = [...Map.groupBy(offsets, ({ topic }) => topic)].map(([name, ofTopic]) => ({
    name,
    partitions: ofTopic.map(({ partition, offset }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedMetadata: null,
    })),
  }));
  await cluster.retry(async () => {
    const connection = await cluster.connectionTo(await cluster.coordinatorOf(groupId));
    const answer = await connection.request(
      OffsetCommit,
      { groupId, generationIdOrMemberEpoch: generationId, memberId, groupInstanceId: null, topics },
      { versionMax: offsetCommitVersionMax },
    );
    for (const { errorCode } of answer.topics.flatMap(({ partitions }) => partitions)) {
      expectAccepted(`store the offsets of group "${groupId}"`, errorCode);
    }
  });
}
