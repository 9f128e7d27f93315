import { ErrorCode } from "#protocol/error-codes.ts";
import { CreateTopics } from "#protocol/messages/create-topics.ts";
import { DeleteTopics } from "#protocol/messages/delete-topics.ts";
import { expectAccepted, NoBrokerError } from "#src/cli/client/client-errors.ts";
import { Cluster } from "#src/cli/client/cluster.ts";
import { systemClock } from "#src/runtime/clock.ts";
import type { Address } from "../load/load-connection.ts";

/** How long a client goes on trying: longer than any restart takes. */
const timeoutMs = 60_000;
const connectEveryMs = 100;
/** Topics go by name up to here. */
const deleteTopicsVersionMax = 5;

/** A client of the command line's own making; waits for a broker that restarts. @throws NoBrokerError after a minute */
export async function connectCluster(address: Address, clientId: string): Promise<Cluster> {
  const giveUpMs = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await Cluster.connect({ bootstrap: [address], clientId, clock: systemClock, timeoutMs });
    } catch (error) {
      if (!(error instanceof NoBrokerError) || performance.now() > giveUpMs) throw error;
      await pause(connectEveryMs);
    }
  }
}

/** Creates one topic on one broker. @throws RefusedError */
export async function createTopic(
  cluster: Cluster,
  {
    name,
    partitions,
    configs,
  }: { name: string; partitions: number; configs: Readonly<Record<string, string>> },
): Promise<void> {
  let isRepeated = false;
  await cluster.retry(async () => {
    const wasAsked = isRepeated;
    isRepeated = true;
    const answer = await cluster.request(CreateTopics, {
      topics: [
        {
          name,
          numPartitions: partitions,
          replicationFactor: 1,
          assignments: [],
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        },
      ],
      timeoutMs,
      validateOnly: false,
    });
    const { errorCode = 0, errorMessage } = answer.topics[0] ?? {};
    // The answer to an earlier attempt may have been lost in a restart.
    if (wasAsked && errorCode === ErrorCode.topicAlreadyExists) return;
    expectAccepted(`create topic "${name}"`, errorCode, errorMessage ?? null);
  });
}

/** Deletes one topic. @throws RefusedError */
export async function deleteTopic(cluster: Cluster, name: string): Promise<void> {
  let isRepeated = false;
  await cluster.retry(async () => {
    const wasAsked = isRepeated;
    isRepeated = true;
    const request = { topicNames: [name], timeoutMs };
    const answer = await cluster.request(DeleteTopics, request, { versionMax: deleteTopicsVersionMax });
    const { errorCode = 0 } = answer.responses[0] ?? {};
    if (wasAsked && errorCode === ErrorCode.unknownTopicOrPartition) return;
    expectAccepted(`delete topic "${name}"`, errorCode);
  });
}

/** Waits, in real time. */
export function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
