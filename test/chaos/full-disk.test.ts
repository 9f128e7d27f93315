import { join } from "node:path";
import { expect, test } from "vitest";
import { connectTo, leadersOf } from "../integration/cluster/cluster-admin.ts";
import { whyNoSmallDisk } from "../integration/durability/small-disk.ts";
import { withAdmin } from "../integration/kafkajs/kafkajs-client.ts";
import { temporaryDirectory } from "../integration/temporary-directory.ts";
import { waitUntil } from "../integration/wait-until.ts";
import { ChaosCluster, diskNodeId } from "./chaos-cluster.ts";

const noDisk = await whyNoSmallDisk("ext4");
const title = "a node whose disk is full gives away what it leads, and the others take records";

test.skipIf(noDisk)(`${title}${noDisk ? `: ${noDisk}` : ""}`, async () => {
  await using directory = await temporaryDirectory();
  await using cluster = await ChaosCluster.start(join(directory.path), { settings: {}, hasDisk: true });
  const kafka = connectTo(cluster.nodes);
  await withAdmin(kafka, (admin) =>
    admin.createTopics({
      timeout: 30_000,
      topics: [{ topic: "full", numPartitions: 3, replicationFactor: 3 }],
    }),
  );
  expect(await leadersOf(kafka, "full")).toContain(diskNodeId);
  await cluster.disk?.fill();
  await waitUntil(
    "other leaders",
    async () => {
      const leaders = await leadersOf(kafka, "full");
      return leaders.every((leader) => leader > 0 && leader !== diskNodeId);
    },
    60_000,
  );
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (const partition of [0, 1, 2]) {
    await producer.send({ topic: "full", acks: -1, messages: [{ partition, value: "x" }] });
  }
  await producer.disconnect();
  cluster.disk?.empty();
});
