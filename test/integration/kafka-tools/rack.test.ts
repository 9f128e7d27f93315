import { describe, expect, test } from "vitest";
import { shareThreeNodes } from "../cluster/shared-nodes.ts";
import { freePort } from "../free-port.ts";
import { uniqueName } from "../test-broker.ts";
import { kafkaToolsMissing, useKafkaTools } from "./kafka-tools.ts";

const note = kafkaToolsMissing ? ` (${kafkaToolsMissing})` : "";

describe.skipIf(kafkaToolsMissing)(
  `Java consumers in a rack${note}`,
  () => {
    const run = useKafkaTools();
    const cluster = shareThreeNodes(
      { "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector" },
      { rackOf: (nodeId) => `rack-${nodeId}` },
    );

    test("fetch from the follower of their rack", async () => {
      const metricsPort = await freePort();
      const follower = cluster.node(2);
      await follower.terminate();
      follower.start(`--millrace.http.listener=127.0.0.1:${metricsPort}`);
      await follower.untilServing();

      const at = ["--bootstrap-server", cluster.bootstrapServers.join(",")];
      const topic = uniqueName("rack");
      await run("TopicCommand", [...at, "--create", "--topic", topic, "--replica-assignment", "1:2:3"]);
      const values = Array.from({ length: 50 }, (_, index) => `value ${index}`);
      await run("ConsoleProducer", [...at, "--topic", topic], `${values.join("\n")}\n`);

      const inRack = ["--command-property", "client.rack=rack-2"];
      const all = ["--from-beginning", "--max-messages", String(values.length)];
      const output = await run("ConsoleConsumer", [...at, "--topic", topic, ...all, ...inRack]);
      expect(output.trim().split("\n")).toEqual(values);

      const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      const sent = new RegExp(`kafka_server_brokertopicmetrics_bytesout_total\\{topic="${topic}"\\} (\\d+)`);
      expect(Number(sent.exec(metrics)?.[1] ?? 0)).toBeGreaterThan(0);
    });
  },
  240_000,
);
