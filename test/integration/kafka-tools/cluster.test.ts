import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { connectTo, leadersOf } from "../cluster/cluster-admin.ts";
import { shareThreeNodes } from "../cluster/shared-nodes.ts";
import { withAdmin } from "../kafkajs/kafkajs-client.ts";
import { uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { kafkaToolAlone, kafkaToolsMissing, useKafkaTools } from "./kafka-tools.ts";

const title = `Kafka's tools and a cluster of three${kafkaToolsMissing ? `: ${kafkaToolsMissing}` : ""}`;

describe.skipIf(kafkaToolsMissing)(title, () => {
  const cluster = shareThreeNodes({
    "broker.session.timeout.ms": "1500",
    "offsets.topic.num.partitions": "3",
    "auto.leader.rebalance.enable": "false",
  });
  const run = useKafkaTools();
  const at = () => ["--bootstrap-server", cluster.bootstrapServers.join(",")];

  afterEach(async () => {
    for (const node of cluster.nodes.filter(({ isRunning }) => !isRunning)) await comeBack(node.nodeId);
  });

  async function topicOf(partitions: number): Promise<string> {
    const topic = uniqueName("tools");
    const size = ["--partitions", String(partitions), "--replication-factor", "3"];
    await run("TopicCommand", [...at(), "--create", "--topic", topic, ...size]);
    return topic;
  }

  const leaderOf = async (topic: string): Promise<number> =>
    (await leadersOf(connectTo(cluster), topic))[0] ?? -1;

  async function comeBack(nodeId: number): Promise<void> {
    cluster.node(nodeId).start();
    await cluster.node(nodeId).untilServing();
  }

  test("TopicCommand spreads replicas and leaders, and tells which partitions lack a replica", async () => {
    const topic = await topicOf(3);
    const describe = [...at(), "--describe", "--topic", topic];
    const whole = await run("TopicCommand", describe);
    expect(whole).toContain("ReplicationFactor: 3");
    const leaders = [...whole.matchAll(/Leader: (\d)\tReplicas: [123],[123],[123]\tIsr: /g)];
    expect(leaders.map(([, leader]) => leader).toSorted()).toEqual(["1", "2", "3"]);

    const lacking = async () => await run("TopicCommand", [...describe, "--under-replicated-partitions"]);
    await waitUntil("all in sync", async () => !(await lacking()).includes("Isr:"));
    await cluster.node(3).kill();
    await waitUntil("all without node 3", async () => (await lacking()).match(/Isr: /g)?.length === 3);
    await comeBack(3);
    await waitUntil("all in sync again", async () => !(await lacking()).includes("Isr:"), 40_000);
  });

  test("the console's tools go on when a leader is killed", async () => {
    const topic = await topicOf(1);
    await run("ConsoleProducer", [...at(), "--topic", topic], "one\ntwo\n");
    const killed = await leaderOf(topic);
    await cluster.node(killed).kill();
    await run("ConsoleProducer", [...at(), "--topic", topic], "three\nfour\n");
    const limit = ["--from-beginning", "--max-messages", "4", "--group", uniqueName("group")];
    const output = await run("ConsoleConsumer", [...at(), "--topic", topic, ...limit]);
    expect(output.trim().split("\n")).toEqual(["one", "two", "three", "four"]);
    await comeBack(killed);
  });

  test("all that the verifiable producer was told is there, through a kill, and the verifiable consumer reads it", async ({
    onTestFinished,
  }) => {
    const over = new AbortController();
    onTestFinished(() => over.abort());
    const topic = await topicOf(1);
    const count = 4_000;
    const load = ["--max-messages", String(count), "--throughput", "200", "--acks", "-1"];
    const producing = kafkaToolAlone("VerifiableProducer", [...at(), "--topic", topic, ...load], over.signal);
    const read = ["--group-id", uniqueName("group"), "--reset-policy", "earliest", "--verbose"];
    const limit = ["--max-messages", String(count / 2)];
    const consuming = kafkaToolAlone(
      "VerifiableConsumer",
      [...at(), "--topic", topic, ...read, ...limit],
      over.signal,
    );
    // A failure before they end is the one to tell.
    for (const run of [producing, consuming]) run.catch(() => undefined);

    const kafka = connectTo(cluster);
    // A leader that is gone is not asked again by kafkajs, but it is by who polls.
    const written = async () =>
      await withAdmin(kafka, async (admin) => Number((await admin.fetchTopicOffsets(topic))[0]?.high)).catch(
        () => -1,
      );
    await waitUntil("records before the kill", async () => (await written()) > 300, 40_000);
    const killed = await leaderOf(topic);
    const atKill = await written();
    await cluster.node(killed).kill();
    await waitUntil("records after the kill", async () => (await written()) > atKill + 300, 40_000);
    await comeBack(killed);

    const sent = linesOf(await producing);
    const acknowledged = sent.filter(({ name }) => name === "producer_send_success");
    // It does not retry: what was under way at the kill it takes for lost.
    expect(acknowledged.length).toBeGreaterThan(count / 2);
    const stored = await run("ConsoleConsumer", [
      ...[...at(), "--topic", topic, "--partition", "0", "--offset", "earliest", "--timeout-ms", "3000"],
      ...["--formatter-property", "print.offset=true"],
    ]);
    const values = new Map(
      [...stored.matchAll(/^Offset:(\d+)\t(\d+)$/gm)].map(([, offset, value]) => [Number(offset), value]),
    );
    expect(acknowledged.filter(({ offset, value }) => values.get(Number(offset)) !== value)).toEqual([]);

    const consumed = linesOf(await consuming).filter(({ name }) => name === "record_data");
    const offsets = new Set(consumed.map(({ offset }) => Number(offset)));
    expect(offsets.size).toBeGreaterThanOrEqual(count / 2);
    expect(Math.max(...offsets)).toBe(offsets.size - 1);
    expect(consumed.every(({ offset, value }) => values.get(Number(offset)) === value)).toBe(true);
  }, 180_000);

  test("a group's offsets outlive its coordinator", async () => {
    const topic = await topicOf(1);
    await run("ConsoleProducer", [...at(), "--topic", topic], "one\ntwo\nthree\n");
    const group = uniqueName("group");
    const read = ["--from-beginning", "--max-messages", "2", "--group", group];
    await run("ConsoleConsumer", [...at(), "--topic", topic, ...read]);
    const ask = [...at(), "--describe", "--group", group];
    const coordinator = /\(([123])\)/.exec(await run("ConsumerGroupCommand", [...ask, "--state"]))?.[1];
    expect(coordinator).toBeDefined();
    await cluster.node(Number(coordinator)).kill();
    // While the topic has no leader the tool leaves out where its log ends.
    const row = new RegExp(`^${group} +${topic} +0 +2 +(\\S+) +(\\S+) `, "m");
    await waitUntil("the group's lag", async () => {
      const [, end, lag] = row.exec(await run("ConsumerGroupCommand", ask)) ?? [];
      expect(end).toBeDefined();
      return end === "3" && lag === "1";
    });
    await comeBack(Number(coordinator));
  });

  test("LeaderElectionCommand gives a partition back to the replica that comes first", async () => {
    const topic = await topicOf(1);
    const preferred = await leaderOf(topic);
    await cluster.node(preferred).kill();
    await waitUntil("another leader", async () => ![-1, preferred].includes(await leaderOf(topic)));
    await comeBack(preferred);
    const place = ["--topic", topic, "--partition", "0"];
    const elect = async () =>
      await run("LeaderElectionCommand", [...at(), "--election-type", "preferred", ...place]);
    await waitUntil("an election that is granted", () =>
      elect().then(
        (output) => output.includes(`Successfully completed leader election (PREFERRED) for partitions`),
        () => false,
      ),
    );
    expect(await leaderOf(topic)).toBe(preferred);
    expect(await elect()).toContain("Valid replica already elected for partitions");
  });

  test("MetadataQuorumCommand tells who leads the metadata and who follows closely, after a kill as well", async () => {
    const status = async () => await run("MetadataQuorumCommand", [...at(), "describe", "--status"]);
    const leaderIn = (output: string) => Number(/^LeaderId: +(\d)$/m.exec(output)?.[1]);
    const killed = leaderIn(await status());
    expect([1, 2, 3]).toContain(killed);
    await cluster.node(killed).kill();
    await waitUntil("another leader", async () => ![killed, Number.NaN].includes(leaderIn(await status())));
    await comeBack(killed);
    await waitUntil("three replicas without lag", async () => {
      const table = await run("MetadataQuorumCommand", [...at(), "describe", "--replication"]);
      const rows = [...table.matchAll(/^([123])\s+\S+\s+\d+\s+(\d+)\s.*(Leader|Follower)/gm)];
      return rows.length === 3 && rows.every(([, , lag]) => lag === "0");
    });
  });

  test("ConfigCommand brings a node into maintenance, out of which it is ready to lead again", async () => {
    const topic = await topicOf(1);
    const nodeId = await leaderOf(topic);
    const alter = [...at(), "--entity-type", "brokers", "--entity-name", String(nodeId), "--alter"];
    await run("ConfigCommand", [...alter, "--add-config", "millrace.node.state=maintenance"]);
    await waitUntil("another leader", async () => ![-1, nodeId].includes(await leaderOf(topic)));
    await run("ConfigCommand", [...alter, "--delete-config", "millrace.node.state"]);
    const place = ["--topic", topic, "--partition", "0"];
    await waitUntil("the lead again", async () => {
      await run("LeaderElectionCommand", [...at(), "--election-type", "preferred", ...place]);
      return (await leaderOf(topic)) === nodeId;
    });
  });

  test("ReassignPartitionsCommand moves a partition and says when that is done", async () => {
    const topic = await topicOf(1);
    await run("ConsoleProducer", [...at(), "--topic", topic], "one\ntwo\n");
    const file = join(cluster.directory, `${topic}.json`);
    const leader = await leaderOf(topic);
    const replicas = [1, 2, 3].filter((nodeId) => nodeId !== leader);
    const plan = { version: 1, partitions: [{ topic, partition: 0, replicas }] };
    await writeFile(file, JSON.stringify(plan));
    const reassign = [...at(), "--reassignment-json-file", file];
    expect(await run("ReassignPartitionsCommand", [...reassign, "--execute"])).toContain(
      `Successfully started partition reassignment for ${topic}-0`,
    );
    await waitUntil("the end of the move", async () =>
      (await run("ReassignPartitionsCommand", [...reassign, "--verify"])).includes(
        `Reassignment of partition ${topic}-0 is completed`,
      ),
    );
    const described = await run("TopicCommand", [...at(), "--describe", "--topic", topic]);
    expect(described).toContain(`Replicas: ${replicas.join(",")}\t`);
    expect(replicas).toContain(await leaderOf(topic));
    const limit = ["--from-beginning", "--max-messages", "2"];
    const output = await run("ConsoleConsumer", [...at(), "--topic", topic, ...limit]);
    expect(output.trim().split("\n")).toEqual(["one", "two"]);
    await rm(file);
  });
});

interface VerifiableLine {
  readonly name?: string;
  readonly value?: string;
  readonly offset?: number;
}

/** What a verifiable tool tells, one JSON object a line. */
function linesOf(output: string): VerifiableLine[] {
  return output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as VerifiableLine);
}
