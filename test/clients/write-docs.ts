import { writeFile } from "node:fs/promises";
import { features } from "./features.ts";
import { type ClientResults, keptResults, type Outcome } from "./results.ts";
import { trapNames } from "./trap-names.ts";
import { trapsPage, trapsPageUrl } from "./traps-page.ts";

/** Writes docs/clients.md from what the last run of each client's suite found out, and docs/compatibility-traps.md. */

const cells: Readonly<Record<Outcome, string>> = { works: "yes", fails: "**no**", lacks: "–" };

const head = `# Clients that are tested

Generated from the results of the client suites (\`npx vitest run --project clients\`, then
\`node test/clients/write-docs.ts\`). Each suite drives the client, unchanged and at the version shown, against a
broker process of its own; "–" is something that the client itself does not have. @platformatic/kafka and kcat have
suites of their own under \`test/integration\`, and so has kafkajs in more depth.
`;

const legend = `
| column | what is shown to work |
|---|---|
| produce | acks=all with keys, headers, timestamps, null and binary values to chosen partitions |
| gzip, snappy, lz4, zstd | batches are stored compressed as they came, and read back |
| manual assignment | reading a partition from any offset, also one inside a compressed batch |
| seek by time | the offset of the first record that is not older than a time |
| group | two members share partitions, rebalance when one comes and goes, and resume from committed offsets |
| admin | create, list, describe, delete topics; describe and alter their configs |
| idempotence | thousands of records stored once, in order, by an idempotent producer |
| restart | producer and group go on by themselves over a \`kill -9\`: every acknowledged record is there, once and in order where the producer is idempotent |
`;

const snippets = `
## Hello from each language

Each of them needs a broker on \`127.0.0.1:9092\` (\`npm start\`).

Python, librdkafka (\`pip install confluent-kafka\`):

\`\`\`py
from confluent_kafka import Consumer, Producer

producer = Producer({"bootstrap.servers": "127.0.0.1:9092", "enable.idempotence": True})
producer.produce("greetings", key="en", value="hello")
producer.flush()

consumer = Consumer({"bootstrap.servers": "127.0.0.1:9092", "group.id": "readers", "auto.offset.reset": "earliest"})
consumer.subscribe(["greetings"])
message = consumer.poll(10)
print(message.offset(), message.key(), message.value())
consumer.close()
\`\`\`

Python, kafka-python (\`pip install kafka-python\`):

\`\`\`py
from kafka import KafkaConsumer, KafkaProducer

producer = KafkaProducer(bootstrap_servers="127.0.0.1:9092")
producer.send("greetings", key=b"en", value=b"hello")
producer.flush()

for message in KafkaConsumer(
    "greetings", bootstrap_servers="127.0.0.1:9092", group_id="python-readers", auto_offset_reset="earliest"
):
    print(message.offset, message.key, message.value)
    break
\`\`\`

Go, franz-go (\`go get github.com/twmb/franz-go\`):

\`\`\`go
package main

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	client, err := kgo.NewClient(
		kgo.SeedBrokers("127.0.0.1:9092"), kgo.AllowAutoTopicCreation(),
		kgo.ConsumerGroup("go-readers"), kgo.ConsumeTopics("greetings"),
	)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	record := &kgo.Record{Topic: "greetings", Key: []byte("en"), Value: []byte("hello")}
	if err := client.ProduceSync(context.Background(), record).FirstErr(); err != nil {
		panic(err)
	}
	client.PollFetches(context.Background()).EachRecord(func(record *kgo.Record) {
		fmt.Printf("%d %s: %s\\n", record.Offset, record.Key, record.Value)
	})
}
\`\`\`

A shell, kcat:

\`\`\`sh
echo "en:hello" | kcat -b 127.0.0.1:9092 -t greetings -P -K:
kcat -b 127.0.0.1:9092 -t greetings -C -o beginning -e
\`\`\`
`;

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function table(clients: readonly ClientResults[]): string {
  const columns = ["client", "version", "language", ...features];
  const rows = clients.map(({ name, version, language, outcomes }) => {
    const found = features.map((feature) => {
      const outcome = outcomes[feature];
      return outcome ? cells[outcome] : "not run";
    });
    return row([name, version, language, ...found]);
  });
  return [row(columns), row(columns.map(() => "---")), ...rows].join("\n");
}

const page = `${head}\n${table(await keptResults())}\n${legend}${snippets}`;
await writeFile(new URL("../../docs/clients.md", import.meta.url), page);
await writeFile(trapsPageUrl, trapsPage(await trapNames()));
