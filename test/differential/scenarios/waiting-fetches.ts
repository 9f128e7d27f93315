import { setTimeout as sleep } from "node:timers/promises";
import { DeleteTopics } from "#protocol/messages/delete-topics.ts";
import { Fetch } from "#protocol/messages/fetch.ts";
import type { RequestInput } from "#protocol/schema/api.ts";
import { type Scenario, scenario } from "../scenario.ts";
import type { Wire } from "../wire.ts";
import { append, batch, fixtures, unknownTopicId } from "./fixtures.ts";

/** Far more than what happens in the meantime takes, and less than a broker's silence is given. */
const maxWaitMs = 2_500;
/** Until a request that was sent surely waits. */
const settleMs = 150;
const partitionMaxBytes = 10_000;

/** A topic of the request, and the offsets at which its partitions are read, in order. */
interface Place {
  readonly topic: string;
  readonly offsets: readonly number[];
}

/** Reads that find too little at first: what ends their wait, and what they answer then. */
export const waitingFetchScenarios: readonly Scenario[] = [
  waits("two partitions wait and one gets a record", async (wire) => {
    const topic = await wire.topic("t", { partitions: 2 });
    await wait(wire, [{ topic, offsets: [0, 0] }], {
      meanwhile: (other) => append(other, topic, 1, batch(["late"])),
    });
  }),
  waits("two topics wait and the last one gets a record", async (wire) => {
    const [first, second] = [await wire.topic("a"), await wire.topic("b")];
    const places = [
      { topic: first, offsets: [0] },
      { topic: second, offsets: [0] },
    ];
    await wait(wire, places, { meanwhile: (other) => append(other, second, 0, batch(["late"])) });
  }),
  waits("two partitions have enough together", async (wire) => {
    const topic = await wire.topic("t", { partitions: 2 });
    const one = batch(["x".repeat(100)]);
    await wait(wire, [{ topic, offsets: [0, 0] }], {
      minBytes: one.length + 1,
      async meanwhile(other) {
        await append(other, topic, 0, one);
        await append(other, topic, 1, batch(["x".repeat(100)]));
      },
    });
  }),
  waits("what came to the one is not enough", async (wire) => {
    const topic = await wire.topic("t", { partitions: 2 });
    await append(wire, topic, 1, batch(["there"]));
    await wait(wire, [{ topic, offsets: [0, 0] }], {
      minBytes: 10_000,
      waitMs: 600,
      meanwhile: (other) => append(other, topic, 0, batch(["late"])),
    });
  }),
  waits("one partition has a record, the other waits", async (wire) => {
    const topic = await wire.topic("t", { partitions: 2 });
    await append(wire, topic, 1, batch(["there"]));
    await wait(wire, [{ topic, offsets: [0, 0] }]);
  }),
  waits("an unknown partition beside one that waits", async (wire) => {
    const topic = await wire.topic("t");
    await wait(wire, [{ topic, offsets: [0, 0] }], {
      meanwhile: (other) => append(other, topic, 0, batch(["late"])),
    });
  }),
  waits("an unknown topic beside one that waits", async (wire) => {
    const topic = await wire.topic("t");
    const places = [
      { topic: fixtures.unknown, offsets: [0] },
      { topic, offsets: [0] },
    ];
    await wait(wire, places, { meanwhile: (other) => append(other, topic, 0, batch(["late"])) });
  }),
  waits("an offset that is not there beside one that waits", async (wire) => {
    const topic = await wire.topic("t", { partitions: 2 });
    await wait(wire, [{ topic, offsets: [0, 7] }]);
  }),
  // Of several partitions Kafka answers when the first is gone, in an order of its own.
  waits("the topic is deleted while its partition is waited for", async (wire) => {
    const topic = await wire.topic("t");
    await wait(wire, [{ topic, offsets: [0] }], {
      async meanwhile(other) {
        const topicId = await other.topicId(topic);
        const topics = [{ name: null, topicId }];
        await other.ask(DeleteTopics, { topics, timeoutMs: 10_000 });
      },
    });
  }),
];

/** The oldest version, the last without topic ids, and the newest that clients use: waiting is the same in all. */
function waits(name: string, run: (wire: Wire) => Promise<void>): Scenario {
  const made = scenario(Fetch, name, run);
  return { ...made, versions: made.versions.filter((version) => [4, 12, 17].includes(version)) };
}

/** Sends the request, lets something happen, and notes whether the answer came before the time was up. */
async function wait(
  wire: Wire,
  places: readonly Place[],
  {
    minBytes = 1,
    waitMs = maxWaitMs,
    meanwhile = async (_other: Wire): Promise<void> => undefined,
  }: { minBytes?: number; waitMs?: number; meanwhile?: (other: Wire) => Promise<void> } = {},
): Promise<void> {
  const topics = [];
  for (const place of places) topics.push(await topicOf(wire, place));
  const request: RequestInput<typeof Fetch> = { maxWaitMs: waitMs, minBytes, topics };
  const startMs = performance.now();
  const answered = wire.send("wait", Fetch, request).then(() => performance.now() - startMs);
  await sleep(settleMs);
  await meanwhile(wire.other("meanwhile"));
  wire.note("how long", { isAllTheTime: (await answered) >= waitMs - 20 });
}

async function topicOf(wire: Wire, { topic, offsets }: Place) {
  const partitions = offsets.map((fetchOffset, partition) => ({ partition, fetchOffset, partitionMaxBytes }));
  if (wire.version < 13) return { topic, partitions };
  const topicId = topic === fixtures.unknown ? unknownTopicId : await wire.topicId(topic);
  return { topic, topicId, partitions };
}
