import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { shareThreeNodes } from "../cluster/shared-nodes.ts";
import { uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { kafkaToolsMissing, useKafkaTools } from "./kafka-tools.ts";

const note = kafkaToolsMissing ? ` (${kafkaToolsMissing})` : "";

describe.skipIf(kafkaToolsMissing)(
  `kafka-reassign-partitions${note}`,
  () => {
    const run = useKafkaTools();
    const cluster = shareThreeNodes({ "broker.session.timeout.ms": "1500" });

    const at = () => ["--bootstrap-server", cluster.bootstrapServers.join(",")];

    async function topicOn(replicas: readonly number[]): Promise<string> {
      const topic = uniqueName("reassigned");
      const assignment = ["--replica-assignment", replicas.join(":")];
      await run("TopicCommand", [...at(), "--create", "--topic", topic, ...assignment]);
      return topic;
    }

    async function planFor(topic: string, replicas: readonly number[]): Promise<string[]> {
      const file = join(cluster.directory, `${topic}-${replicas.join("-")}.json`);
      await writeFile(file, JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, replicas }] }));
      return [...at(), "--reassignment-json-file", file];
    }

    const reassign = (arguments_: readonly string[]) => run("ReassignPartitionsCommand", arguments_);

    test("sets throttles, moves, and takes the throttles back once it is done", async () => {
      const topic = await topicOn([1, 2]);
      const plan = await planFor(topic, [3, 2]);
      expect(await reassign([...plan, "--execute", "--throttle", "50000000"])).toContain(
        `Successfully started partition reassignment for ${topic}-0`,
      );
      const describeConfigs = () =>
        run("ConfigCommand", [...at(), "--describe", "--entity-type", "topics", "--entity-name", topic]);
      expect(await describeConfigs()).toMatch(/leader.replication.throttled.replicas=0:/);
      await waitUntil("the end of the move", async () =>
        (await reassign([...plan, "--verify"])).includes(`Reassignment of partition ${topic}-0 is completed`),
      );
      expect(await describeConfigs()).not.toContain("throttled.replicas");
      expect(await reassign([...at(), "--list"])).toContain("No partition reassignments found");
    });

    test("proposes a plan, and lists and cancels a move that waits for a node", async () => {
      const topic = await topicOn([1, 2]);
      const topics = join(cluster.directory, "topics.json");
      await writeFile(topics, JSON.stringify({ version: 1, topics: [{ topic }] }));
      const generate = ["--generate", "--topics-to-move-json-file", topics, "--broker-list", "2,3"];
      expect(await reassign([...at(), ...generate])).toContain(
        "Proposed partition reassignment configuration",
      );

      const plan = await planFor(topic, [1, 3]);
      await cluster.node(3).kill();
      await reassign([...plan, "--execute"]);
      const list = await reassign([...at(), "--list"]);
      expect(list).toContain(`${topic}-0: replicas: 1,3,2. adding: 3. removing: 2.`);
      // The tool would ask each broker, and one of them is away, to take its throttles back.
      const preserve = "--preserve-throttles";
      expect(await reassign([...plan, "--verify", preserve])).toContain(
        `Reassignment of partition ${topic}-0 is still in progress`,
      );
      expect(await reassign([...plan, "--cancel", preserve])).toContain(
        `Successfully cancelled partition reassignment for: ${topic}-0`,
      );
      expect(await reassign([...at(), "--list"])).toContain("No partition reassignments found");
      cluster.node(3).start();
      await cluster.node(3).untilServing();
    });
  },
  240_000,
);
