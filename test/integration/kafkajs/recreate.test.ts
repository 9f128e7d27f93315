import type { Admin } from "kafkajs";
import { expect, test } from "vitest";
import { externalBootstrapServers, uniqueName, useBroker } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { connectKafkajs, createTopic, withAdmin, withProducer } from "./kafkajs-client.ts";

const broker = useBroker();

const partitions = 8;

/** Creates the topic as soon as there is none of its name. */
async function create(admin: Admin, topic: string): Promise<void> {
  await waitUntil(`creation of "${topic}"`, () =>
    admin
      .createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: false })
      .catch(() => false),
  );
}

// Apache Kafka 4.3.1 answers a creation before its broker has let go of the old topic, and a producer's records can
// still go there: acknowledged and gone.
const testHere = test.skipIf(externalBootstrapServers);

testHere("topics deleted and created again at once, while written to, start anew each time", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  await withAdmin(kafka, async (admin) => {
    const liveAndDie = async (topic: string): Promise<void> => {
      await create(admin, topic);
      for (let life = 0; life < 12; life++) {
        // A producer of its own: an older one would still know the topic's former life. Idempotent, it
        // writes once even where it has to try again.
        const patient = connectKafkajs(broker.bootstrapServers, { retries: 20 });
        await withProducer(
          patient,
          async (producer) => {
            const value = `life ${life} ${"x".repeat(2_000)}`;
            const messages = Array.from({ length: partitions }, (_, partition) => ({ partition, value }));
            const answers = await producer.send({ topic, messages });
            expect(new Set(answers.map(({ baseOffset }) => baseOffset))).toEqual(new Set(["0"]));
          },
          { idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false },
        );
        // The end comes while records are being written, and the new life is asked for right behind it.
        const last = connectKafkajs(broker.bootstrapServers, { retries: 0 });
        await withProducer(
          last,
          async (producer) => {
            const messages = [{ partition: life % partitions, value: "y".repeat(50_000) }];
            const sends = [1, 2, 3].map(() => producer.send({ topic, messages }).catch(() => undefined));
            await admin.deleteTopics({ topics: [topic] });
            await Promise.all(sends);
          },
          { allowAutoTopicCreation: false },
        );
        await create(admin, topic);
      }
    };
    await Promise.all([1, 2, 3].map(() => liveAndDie(uniqueName("again"))));
  });
});

test("a topic deleted under a producer's load takes nothing else with it", async () => {
  const kafka = connectKafkajs(broker.bootstrapServers);
  const [doomed, other] = [await createTopic(kafka, { partitions }), await createTopic(kafka)];
  await withProducer(connectKafkajs(broker.bootstrapServers, { retries: 0 }), async (producer) => {
    const value = "x".repeat(20_000);
    const sends = Array.from({ length: 40 }, (_, number) =>
      producer
        .send({ topic: doomed, messages: [{ value, partition: number % partitions }] })
        .catch(() => undefined),
    );
    await withAdmin(kafka, (admin) => admin.deleteTopics({ topics: [doomed] }));
    await Promise.all(sends);
  });
  await withProducer(kafka, async (producer) => {
    const [answer] = await producer.send({ topic: other, messages: [{ value: "unharmed" }] });
    expect(answer?.baseOffset).toBe("0");
  });
});
