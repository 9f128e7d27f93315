import { describe, expect, test } from "vitest";
import { testConfig, uniqueName, useBroker } from "../test-broker.ts";
import { kafkaToolsMissing, useKafkaTools } from "./kafka-tools.ts";

describe.skipIf(kafkaToolsMissing)(`Kafka's admin tools${note(kafkaToolsMissing)}`, () => {
  const broker = useBroker({ ...testConfig, "offsets.topic.num.partitions": "1" });
  const run = useKafkaTools();
  const at = () => ["--bootstrap-server", broker.bootstrapServers];

  test("BrokerApiVersions finds a usable version of every API that is advertised", async () => {
    const output = await run("BrokerApiVersionsCommand", at());
    expect(output).toContain(`${broker.bootstrapServers} (id: 1 `);
    expect(output).toMatch(/Produce\(0\): 0 to 13 \[usable: 13\]/);
    expect(output).toMatch(/Fetch\(1\): 4 to 18 \[usable: 18\]/);
    expect(output).not.toMatch(/\[unusable/);
  });

  test("ClusterTool tells the cluster's id and its endpoints", async () => {
    expect(await run("ClusterTool", ["cluster-id", ...at()])).toMatch(/^Cluster ID: [\w-]{22}$/m);
    const endpoints = await run("ClusterTool", ["list-endpoints", ...at()]);
    expect(endpoints).toMatch(new RegExp(`^1 +127.0.0.1 +${broker.process.port} +.*unfenced +broker`, "m"));
  });

  test("TopicCommand makes, lists, describes, grows and deletes a topic", async () => {
    const topic = ["--topic", uniqueName("tools")];
    const [, name = ""] = topic;

    await run("TopicCommand", [
      ...at(),
      "--create",
      ...topic,
      "--partitions",
      "2",
      "--config",
      "retention.ms=5000",
    ]);
    expect(await run("TopicCommand", [...at(), "--list"])).toContain(name);
    const described = await run("TopicCommand", [...at(), "--describe", ...topic]);
    expect(described).toMatch(/PartitionCount: 2\tReplicationFactor: 1\tConfigs: .*retention.ms=5000/);
    expect(described).toMatch(/Partition: 1\tLeader: 1\tReplicas: 1\tIsr: 1/);

    await run("TopicCommand", [...at(), "--alter", ...topic, "--partitions", "3"]);
    expect(await run("TopicCommand", [...at(), "--describe", ...topic])).toContain("PartitionCount: 3");
    await run("TopicCommand", [...at(), "--delete", ...topic]);
    expect(await run("TopicCommand", [...at(), "--list"])).not.toContain(name);
  });

  test("TopicCommand fails with the broker's reason", async () => {
    const name = uniqueName("tools");
    const create = [...at(), "--create", "--topic", name];
    await run("TopicCommand", create);

    await expect(run("TopicCommand", create)).rejects.toThrow(`Topic '${name}' already exists`);
    const replicated = [...at(), "--create", "--topic", uniqueName("tools"), "--replication-factor", "3"];
    await expect(run("TopicCommand", replicated)).rejects.toThrow(
      /replication factor of 3 cannot be reached/,
    );
    const shrink = [...at(), "--alter", "--topic", name, "--partitions", "0"];
    await expect(run("TopicCommand", shrink)).rejects.toThrow(/partition/i);
  });

  test("ConfigCommand sets, describes and removes a topic's configs", async () => {
    const name = uniqueName("tools");
    await run("TopicCommand", [...at(), "--create", "--topic", name]);
    const entity = [...at(), "--entity-type", "topics", "--entity-name", name];

    const changes = "retention.ms=1000000,cleanup.policy=[compact,delete]";
    await run("ConfigCommand", [...entity, "--alter", "--add-config", changes]);
    const described = await run("ConfigCommand", [...entity, "--describe"]);
    expect(described).toContain("cleanup.policy=compact,delete sensitive=false");
    expect(described).toContain("synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=1000000");

    await run("ConfigCommand", [...entity, "--alter", "--delete-config", "retention.ms"]);
    expect(await run("ConfigCommand", [...entity, "--describe"])).not.toContain("retention.ms");
    const all = await run("ConfigCommand", [...entity, "--describe", "--all"]);
    expect(all).toMatch(/retention.ms=604800000 .*synonyms=\{\}/);

    const wrong = [...entity, "--alter", "--add-config", "retention.ms=soon"];
    await expect(run("ConfigCommand", wrong)).rejects.toThrow(
      /Invalid value soon for configuration retention.ms/,
    );
  });

  test("ConfigCommand changes one broker and all brokers", async () => {
    const name = "log.cleaner.backoff.ms";
    for (const entity of [["--entity-name", "1"], ["--entity-default"]]) {
      const brokers = [...at(), "--entity-type", "brokers", ...entity];
      await run("ConfigCommand", [...brokers, "--alter", "--add-config", `${name}=14000`]);
      expect(await run("ConfigCommand", [...brokers, "--describe"])).toContain(`${name}=14000`);
      await run("ConfigCommand", [...brokers, "--alter", "--delete-config", name]);
      expect(await run("ConfigCommand", [...brokers, "--describe"])).not.toContain(name);
    }
  });

  test("LogDirs tells what a topic's partitions hold", async () => {
    const name = uniqueName("tools");
    await run("TopicCommand", [...at(), "--create", "--topic", name, "--partitions", "2"]);
    await run("ConsoleProducer", [...at(), "--topic", name], "a value\n");

    const output = await run("LogDirsCommand", [...at(), "--describe", "--topic-list", name]);
    const report: unknown = JSON.parse(output.split("\n").find((line) => line.startsWith("{")) ?? "{}");
    const sizes = JSON.stringify(report).match(/"size":\d+/g) ?? [];
    expect(sizes).toHaveLength(2);
    expect(sizes.filter((size) => size !== '"size":0')).toHaveLength(1);
  });
});

function note(missing: string | undefined): string {
  return missing ? `: ${missing}` : "";
}
