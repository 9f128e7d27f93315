import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { makeCertificates } from "../../contracts/certificates.ts";
import { withAdmin } from "../kafkajs/kafkajs-client.ts";
import { uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { connectTo, leadersOf } from "./cluster-admin.ts";
import { extraBroker } from "./extra-node.ts";
import { shareThreeNodes } from "./shared-nodes.ts";
import type { ClusterNode } from "./three-nodes.ts";

const certificates = makeCertificates();
const foreign = makeCertificates();

const securedMap = { "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:SSL" };

describe.skipIf(!certificates)("a cluster whose nodes talk over TLS", () => {
  const cluster = shareThreeNodes(async (directory) => ({
    ...securedMap,
    ...(await inFiles(join(directory, "ours"), "listener.name.controller.ssl.", certificates)),
  }));

  /** A store for the key and one for the authority, as a listener's configs name them. */
  async function inFiles(
    home: string,
    prefix: string,
    pem: ReturnType<typeof makeCertificates>,
  ): Promise<Record<string, string>> {
    await mkdir(home, { recursive: true });
    await writeFile(join(home, "key.pem"), `${pem?.certificate}${pem?.key}`);
    await writeFile(join(home, "trust.pem"), String(pem?.authority));
    return {
      [`${prefix}keystore.type`]: "PEM",
      [`${prefix}keystore.location`]: join(home, "key.pem"),
      [`${prefix}truststore.type`]: "PEM",
      [`${prefix}truststore.location`]: join(home, "trust.pem"),
    };
  }

  async function broker(nodeId: number, settings: Record<string, string>): Promise<ClusterNode> {
    const voters = await cluster.settingOf(1, "controller.quorum.voters");
    return cluster.invite(await extraBroker(cluster.directory, { nodeId, voters, settings }));
  }

  async function said(node: ClusterNode, words: string | RegExp): Promise<void> {
    const pattern = new RegExp(words);
    await waitUntil(
      `node ${node.nodeId} saying ${pattern}`,
      () => node.log.some((line) => pattern.test(line)),
      20_000,
    );
  }

  test("replicates, and goes on when one is killed", async () => {
    const kafka = connectTo(cluster);
    const topic = uniqueName("tls");
    await withAdmin(kafka, (admin) =>
      admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 3 }] }),
    );
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    await producer.send({ topic, acks: -1, messages: [{ value: "before" }] });
    const [leader = -1] = await leadersOf(kafka, topic);
    await cluster.node(leader).kill();
    await producer.send({ topic, acks: -1, messages: [{ value: "after" }] });
    await producer.disconnect();
    cluster.node(leader).start();
    await cluster.node(leader).untilServing();
  });

  test("is joined by a node whose key and certificates are in its configs, and for all listeners", async () => {
    const onOneLine = (pem: unknown) => String(pem).trim().replaceAll("\n", " ");
    const node = await broker(4, {
      ...securedMap,
      "ssl.keystore.type": "PEM",
      "ssl.keystore.key": onOneLine(certificates?.key),
      "ssl.keystore.certificate.chain": onOneLine(certificates?.certificate),
      "ssl.truststore.type": "PEM",
      "ssl.truststore.certificates": onOneLine(certificates?.authority),
    });
    node.start();
    await node.untilServing();
    expect(node.log.join("\n")).not.toMatch(/no effect here.*ssl|ssl.*no effect here/);
  });

  test("keeps out who talks in the clear, and who has a certificate of another authority", async () => {
    const plain = await broker(5, {});
    const stranger = await broker(6, {
      ...securedMap,
      ...(await inFiles(join(cluster.directory, "theirs"), "ssl.", foreign)),
    });
    for (const node of [plain, stranger]) node.start();
    await said(plain, "cannot reach a node|Cannot connect to");
    await said(stranger, "self-signed certificate in certificate chain|unable to verify|unknown ca");
    await said(cluster.node(1), "Cannot let in 127\\.0\\.0\\.1");
    for (const node of [plain, stranger]) {
      expect(node.log.some((line) => line.includes('"msg":"serving"'))).toBe(false);
      expect(await node.terminate()).toBe(0);
    }
    await withAdmin(connectTo(cluster), async (admin) => {
      expect((await admin.describeCluster()).brokers.length).toBeGreaterThanOrEqual(3);
    });
  });

  test("is not even begun with stores of Java's, or with a file that is not there", async () => {
    const java = await broker(7, {
      ...securedMap,
      "ssl.keystore.location": "/k.jks",
      "ssl.truststore.location": "/t.jks",
    });
    java.start();
    await waitUntil("its end", () => !java.isRunning);
    expect(java.log.join("\n")).toContain("ssl.keystore.type is JKS, and only PEM is read");
    const missing = await broker(8, {
      ...securedMap,
      ...(await inFiles(join(cluster.directory, "ours"), "ssl.", certificates)),
      "ssl.keystore.location": join(cluster.directory, "missing.pem"),
    });
    missing.start();
    await waitUntil("its end", () => !missing.isRunning);
    expect(missing.log.join("\n")).toMatch(
      /Cannot use ssl\.keystore\.location \\"[^"]*missing\.pem\\": ENOENT/,
    );
  });
});
