/**
 * A consumer in a process of its own, so that a test can kill it without its saying goodbye.
 *
 * Arguments: bootstrap servers, group, topic, session timeout in ms. It prints one JSON line for each assignment,
 * `{"assigned": [partition…]}`, and for each message, `{"message": value}`.
 */
import { connectKafkajs, text } from "./kafkajs-client.ts";

const [bootstrapServers = "", groupId = "", topic = "", sessionTimeoutMs = "6000"] = process.argv.slice(2);

const consumer = connectKafkajs(bootstrapServers, { retries: 20 }).consumer({
  groupId,
  sessionTimeout: Number(sessionTimeoutMs),
  heartbeatInterval: Number(sessionTimeoutMs) / 10,
  rebalanceTimeout: 10_000,
  maxWaitTimeInMs: 100,
});

function print(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
  print({ assigned: payload.memberAssignment[topic] ?? [] });
});

await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await consumer.run({
  autoCommitThreshold: 1,
  eachMessage: async ({ message }) => print({ message: text(message) }),
});

process.once("SIGTERM", () => {
  consumer.disconnect().then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
