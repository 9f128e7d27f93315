import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Consumer, Kafka } from "kafkajs";
import { expect, test } from "vitest";
import { BrokerProcess } from "./broker-process.ts";
import {
  connectKafkajs,
  createTopic,
  readMessages,
  withAdmin,
  withProducer,
} from "./kafkajs/kafkajs-client.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { testConfig, uniqueName } from "./test-broker.ts";
import { waitUntil } from "./wait-until.ts";

const config = { ...testConfig, "millrace.http.listener": "127.0.0.1:0" };

/** Fields of the last log line that says this. */
function lineOf(broker: BrokerProcess, msg: string) {
  return broker.log.findLast((line) => line.msg === msg);
}

function httpUrl(broker: BrokerProcess, path: string): string {
  return `http://127.0.0.1:${Number(lineOf(broker, "serving")?.httpPort)}${path}`;
}

/** The series of a scrape, by name and labels as they are written. */
async function scrape(broker: BrokerProcess): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(httpUrl(broker, "/metrics"));
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const lines = (await response.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const match = /^([a-z_]+[a-z0-9_]*(?:\{.*\})?) (\S+)$/.exec(line);
      if (!match) throw new Error(`Cannot read "${line}": it is no sample`);
      return [String(match[1]), match[2] === "+Inf" ? Number.POSITIVE_INFINITY : Number(match[2])];
    }),
  );
}

test("metrics tell what clients did, under Kafka's names", async () => {
  await using directory = await temporaryDirectory();
  await using broker = await BrokerProcess.start({ logDirectory: directory.path, config });
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { partitions: 2 });
  const groupId = uniqueName("group");
  const messages = Array.from({ length: 10 }, (_, at) => ({ partition: 0, value: `value ${at}` }));
  await withProducer(kafka, (producer) => producer.send({ topic, messages }));
  await readMessages(kafka, { topic, count: 10, groupId });
  await withAdmin(kafka, (admin) =>
    admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: "3" }] }),
  );

  const series = await scrape(broker);
  const labels = `topic="${topic}",partition="0"`;
  expect(series.get("kafka_server_kafkaserver_brokerstate")).toBe(3);
  expect(series.get(`kafka_server_brokertopicmetrics_messagesin_total{topic="${topic}"}`)).toBe(10);
  expect(series.get('kafka_server_brokertopicmetrics_messagesin_total{topic=""}')).toBe(10);
  const bytesIn = series.get(`kafka_server_brokertopicmetrics_bytesin_total{topic="${topic}"}`);
  expect(bytesIn).toBeGreaterThan(100);
  expect(series.get(`kafka_log_log_size{${labels}}`)).toBe(bytesIn);
  expect(series.get(`kafka_server_brokertopicmetrics_bytesout_total{topic="${topic}"}`)).toBe(bytesIn);
  expect(series.get(`kafka_log_log_logendoffset{${labels}}`)).toBe(10);
  expect(series.get(`kafka_log_log_logstartoffset{${labels}}`)).toBe(0);
  expect(series.get(`kafka_consumergroup_current_offset{consumergroup="${groupId}",${labels}}`)).toBe(3);
  expect(series.get(`kafka_consumergroup_lag{consumergroup="${groupId}",${labels}}`)).toBe(7);
  expect(series.get(`millrace_kafka_consumer_group_lag_sum{group="${groupId}"}`)).toBe(7);
  expect(series.get(`kafka_consumergroup_members{consumergroup="${groupId}"}`)).toBe(0);

  const sum = (prefix: string) =>
    [...series].filter(([name]) => name.startsWith(prefix)).reduce((total, [, value]) => total + value, 0);
  expect(sum('kafka_network_requestmetrics_requests_total{request="Produce"')).toBe(1);
  expect(series.get('kafka_network_requestmetrics_errors_total{request="Produce",error="NONE"}')).toBe(1);
  expect(series.get('millrace_kafka_request_latency_seconds_count{request="produce"}')).toBe(1);
  expect(series.get('millrace_kafka_request_latency_seconds_bucket{request="produce",le="+Inf"}')).toBe(1);
  expect(series.get("millrace_journal_writes_total")).toBeGreaterThan(2);
  expect(series.get("millrace_journal_written_bytes_total")).toBeGreaterThan(4_096);
  expect(series.get("millrace_storage_disk_free_bytes")).toBeGreaterThan(0);
  expect(series.get("process_resident_memory_bytes")).toBeGreaterThan(1 << 20);
  expect(series.get("process_cpu_seconds_total")).toBeGreaterThan(0);
  expect(series.get("nodejs_eventloop_lag_p99_seconds")).toBeGreaterThanOrEqual(0);
  expect(series.get("millrace_produce_gate_state")).toBe(0);
  expect(series.get("millrace_metrics_truncated_families")).toBe(0);

  await withAdmin(kafka, (admin) => admin.deleteTopics({ topics: [topic] }));
  const after = await scrape(broker);
  expect([...after.keys()].filter((name) => name.includes(topic))).toEqual([]);
  expect(after.get('kafka_server_brokertopicmetrics_messagesin_total{topic=""}')).toBe(10);
  expect(lineOf(broker, "topic created")).toMatchObject({ level: 30, topic: expect.any(String) });
  expect(lineOf(broker, "topic deleted")).toMatchObject({ level: 30, topic, partitions: 2 });
});

test("millrace.metrics.detail is changed while the broker runs and leaves series out", async () => {
  await using directory = await temporaryDirectory();
  await using broker = await BrokerProcess.start({
    logDirectory: directory.path,
    config: { ...config, "millrace.metrics.detail": "topic" },
  });
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { partitions: 3 });
  await withProducer(kafka, (producer) => producer.send({ topic, messages: [{ value: "v" }] }));
  const byTopic = await scrape(broker);
  expect(byTopic.get(`kafka_log_log_size{topic="${topic}",partition=""}`)).toBeGreaterThan(0);
  expect([...byTopic.keys()].filter((name) => name.includes('partition="0"'))).toEqual([]);

  await withAdmin(kafka, (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        { type: 4, name: "1", configEntries: [{ name: "millrace.metrics.detail", value: "broker" }] },
      ],
    }),
  );
  const ofBroker = await scrape(broker);
  expect(ofBroker.get('kafka_log_log_size{topic="",partition=""}')).toBeGreaterThan(0);
  expect([...ofBroker.keys()].filter((name) => name.includes(topic))).toEqual([]);
});

test("health: ready while clients are served, 404 and 405 elsewhere", async () => {
  await using directory = await temporaryDirectory();
  await using broker = await BrokerProcess.start({ logDirectory: directory.path, config });
  for (const path of ["/v1/status/ready", "/health/ready"]) {
    const response = await fetch(httpUrl(broker, path));
    expect([response.status, await response.json()]).toEqual([200, { status: "ready" }]);
  }
  expect((await fetch(httpUrl(broker, "/health/live"))).status).toBe(200);
  expect((await fetch(httpUrl(broker, "/nothing"))).status).toBe(404);
  const posted = await fetch(httpUrl(broker, "/metrics"), { method: "POST", body: "x".repeat(100_000) });
  expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});

test("an address that was set and is taken ends the start, with a sentence", async () => {
  await using directory = await temporaryDirectory();
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : 0);
    });
  });
  try {
    const { exit, log } = await BrokerProcess.runToExit({
      logDirectory: directory.path,
      config: { ...config, "millrace.http.listener": `127.0.0.1:${port}` },
    });
    expect(exit.code).toBe(1);
    expect(log).toContain(`127.0.0.1:${port}`);
  } finally {
    server.close();
  }
});

test("two brokers with the default address both serve clients", async () => {
  const { "millrace.http.listener": _, ...byDefault } = config;
  await using directory = await temporaryDirectory();
  await using other = await temporaryDirectory();
  await using first = await BrokerProcess.start({ logDirectory: directory.path, config: byDefault });
  await using second = await BrokerProcess.start({ logDirectory: other.path, config: byDefault });
  expect(lineOf(second, "serving")?.httpPort).toBeUndefined();
  expect(second.log.some(({ msg, level }) => level === 40 && msg?.includes("millrace.http.listener"))).toBe(
    true,
  );
  for (const broker of [first, second]) await createTopic(connectKafkajs(broker.bootstrapServers));
});

test("a start after a crash tells what it brought back, and a storm of bad clients is a few lines", async () => {
  await using directory = await temporaryDirectory();
  await using broker = await BrokerProcess.start({ logDirectory: directory.path, config });
  const topic = await createTopic(connectKafkajs(broker.bootstrapServers), { partitions: 3 });
  await withProducer(connectKafkajs(broker.bootstrapServers), (producer) =>
    producer.send({ topic, messages: [{ value: "kept" }] }),
  );
  await broker.kill();
  await broker.start();
  expect(lineOf(broker, "recovered")).toMatchObject({
    level: 30,
    topics: 1,
    partitions: 3,
    journalBytes: expect.any(Number),
    durationMs: expect.any(Number),
  });

  const closed = () => broker.log.filter(({ msg }) => msg === "closed a connection").length;
  for (let at = 0; at < 50; at++) await fetch(`http://${broker.bootstrapServers}/`).catch(() => undefined);
  expect(closed()).toBeGreaterThan(0);
  expect(closed()).toBeLessThanOrEqual(10);
  const series = await scrape(broker);
  const failed = 'kafka_server_socket_server_metrics_connection_close_total{reason="failed"}';
  expect(series.get(failed)).toBeGreaterThanOrEqual(50);
});

const sessionTimeoutMs = 2_000;

async function startMembers(kafka: Kafka, topic: string, groupId: string) {
  let assignments = 0;
  const consumers: Consumer[] = [];
  for (let at = 0; at < 2; at++) {
    const consumer = kafka.consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: 200,
      rebalanceTimeout: 5_000,
      maxWaitTimeInMs: 100,
    });
    consumer.on(consumer.events.GROUP_JOIN, () => {
      assignments += 1;
    });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic] });
    await consumer.run({ eachMessage: async () => undefined });
    consumers.push(consumer);
  }
  return { consumers, assignments: () => assignments };
}

test("a group whose members are alive survives a broker that stood still for longer than their sessions", async () => {
  await using directory = await temporaryDirectory();
  await using broker = await BrokerProcess.start({ logDirectory: directory.path, config });
  const kafka = connectKafkajs(broker.bootstrapServers);
  const topic = await createTopic(kafka, { partitions: 2 });
  const groupId = uniqueName("group");
  const { consumers, assignments } = await startMembers(kafka, topic, groupId);
  const describe = () =>
    withAdmin(kafka, async (admin) => {
      const [group] = (await admin.describeGroups([groupId])).groups;
      return { state: group?.state, members: (group?.members ?? []).map(({ memberId }) => memberId).sort() };
    });
  try {
    const before = await waitUntil("two members at work", async () => {
      const group = await describe();
      const isShared = group.state === "Stable" && group.members.length === 2;
      return isShared && assignments() >= 3 ? group : undefined;
    });
    await sleep(500);
    const assignmentsBefore = assignments();

    const pid = Number(lineOf(broker, "serving")?.pid);
    for (let round = 0; round < 3; round++) {
      process.kill(pid, "SIGSTOP");
      await sleep(sessionTimeoutMs * 1.5);
      process.kill(pid, "SIGCONT");
      await sleep(sessionTimeoutMs / 2);
    }
    expect(await describe()).toEqual(before);
    expect(assignments()).toBe(assignmentsBefore);
  } finally {
    await Promise.all(consumers.map((consumer) => consumer.disconnect()));
  }
});
