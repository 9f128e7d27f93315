import { expect, test } from "vitest";
import { ErrorCode } from "#protocol/error-codes.ts";
import { ApiVersions } from "#protocol/messages/api-versions.ts";
import { InitProducerId } from "#protocol/messages/init-producer-id.ts";
import { Produce } from "#protocol/messages/produce.ts";
import { seededRandom } from "../storage/seeded-random.ts";
import { BrokerWorld, batchOf } from "./broker-world.ts";
import { HeldDisk } from "./held-disk.ts";
import { hasFrame, isOfJournal, JournalWitness } from "./journal-witness.ts";
import { PipeliningClient } from "./pipelining-client.ts";
import { PromiseWorkload } from "./promise-workload.ts";

/** Histories in the normal run; more, or others, by environment. */
const seedCount = Number(process.env.MILLRACE_PROMISE_SEEDS ?? 20);
const firstSeed = Number(process.env.MILLRACE_PROMISE_FIRST_SEED ?? 1);
const steps = 150;

interface Stage {
  readonly disk: HeldDisk;
  readonly witness: JournalWitness;
  readonly world: BrokerWorld;
}

/** A broker on a disk that holds back writes, and a witness of those that it completed. */
async function stage(seed = 1): Promise<Stage & AsyncDisposable> {
  const disk = new HeldDisk();
  const witness = new JournalWitness();
  disk.onDurable = (write) => witness.take(write);
  const world = await BrokerWorld.start({ files: disk.files, seed });
  return {
    disk,
    witness,
    world,
    [Symbol.asyncDispose]: async () => {
      disk.letAllGo();
      await world[Symbol.asyncDispose]();
    },
  };
}

test.each(Array.from({ length: seedCount }, (_, at) => firstSeed + at))(
  "seed %i: no answer leaves before the write with what it promises is done",
  async (seed) => {
    const random = seededRandom(seed);
    await using staged = await stage(seed);
    const { disk, witness, world } = staged;
    const workload = new PromiseWorkload(world, witness, random);
    await workload.prepare();

    // Of the journal every write is held, of segments and small files some are: answers need none of those of segments.
    disk.holds = (write) => isOfJournal(write) || random() < 0.3;
    for (let step = 0; step < steps; step++) {
      const burst = 1 + Math.floor(random() * 4);
      for (let count = 0; count < burst; count++) workload.step();
      await world.clock.settle();
      workload.takeAnswers();
      if (random() < 0.15) await world.clock.advance(random() * 500);
      workload.takeAnswers();
      for (let turns = Math.floor(random() * 4); turns > 0 && disk.held.length > 0; turns--) {
        disk.letGo(Math.floor(random() * disk.held.length));
        await world.clock.settle();
        workload.takeAnswers();
      }
    }
    for (let turn = 0; workload.waitingCount > 0 && turn < 10_000; turn++) {
      disk.letGo();
      await world.clock.advance(10);
      workload.takeAnswers();
    }
    expect(workload.waitingCount, "requests that are never answered").toBe(0);
    expect(disk.heldCount).toBeGreaterThan(steps / 4);
    expect(workload.checkedCount).toBeGreaterThan(steps);
    expect(world.fatal).toEqual([]);
  },
);

/** Produces one value and notes the offset that it is answered with. */
function produce(
  client: PipeliningClient,
  value: string,
  { acks = -1, onAnswer }: { acks?: number; onAnswer?: (baseOffset: number) => void } = {},
): void {
  const topicData = [{ name: "t", partitionData: [{ index: 0, records: batchOf([value]) }] }];
  const request = { transactionalId: null, acks, timeoutMs: 60_000, topicData };
  const check = onAnswer
    ? ({ responses }: { responses: readonly { partitionResponses: readonly PartitionAnswer[] }[] }) => {
        const answer = responses[0]?.partitionResponses[0];
        expect(answer?.errorCode).toBe(ErrorCode.none);
        onAnswer(answer?.baseOffset ?? -1);
      }
    : undefined;
  client.send(Produce, 9, request, check);
}

interface PartitionAnswer {
  readonly errorCode: number;
  readonly baseOffset: number;
}

test.each([1, -1])(
  "an answer of acks=%i waits for the write of its own batch, not for one before it",
  async (acks) => {
    await using staged = await stage();
    const { disk, world } = staged;
    await world.createTopic("t");
    const client = new PipeliningClient(world.network.connect(9092));
    const answered: number[] = [];
    const onAnswer = (baseOffset: number) => void answered.push(baseOffset);
    disk.holds = isOfJournal;

    produce(client, "first", { acks, onAnswer });
    await world.clock.settle();
    expect(disk.held.filter(hasFrame)).toHaveLength(1);
    for (const value of ["second", "third", "fourth"]) produce(client, value, { acks, onAnswer });
    await world.clock.advance(5_000);
    client.takeAnswers();
    expect(answered).toEqual([]);

    disk.letGo();
    await world.clock.settle();
    client.takeAnswers();
    expect(answered).toEqual([0]);
    // What came meanwhile shares the next write, and waits for it.
    expect(disk.held.filter(hasFrame)).toHaveLength(1);
    await world.clock.advance(5_000);
    client.takeAnswers();
    expect(answered).toEqual([0]);

    disk.letGo();
    await world.clock.settle();
    client.takeAnswers();
    expect(answered).toEqual([0, 1, 2, 3]);
  },
);

test("acks=0 is never answered, and holds up no request but those that wait for the disk themselves", async () => {
  await using staged = await stage();
  const { disk, witness, world } = staged;
  await world.createTopic("t");
  const client = new PipeliningClient(world.network.connect(9092));
  const answered: (number | string)[] = [];
  disk.holds = isOfJournal;

  produce(client, "silent", { acks: 0 });
  client.send(ApiVersions, 3, { clientSoftwareName: "test", clientSoftwareVersion: "1" }, () => {
    answered.push("ApiVersions");
  });
  produce(client, "loud", { acks: 1, onAnswer: (baseOffset) => answered.push(baseOffset) });
  await world.clock.advance(5_000);
  client.takeAnswers();
  expect(answered).toEqual(["ApiVersions"]);

  const groupId = world.broker.partitions.find("t", 0)?.groupId ?? -1;
  while (disk.held.length > 0) {
    expect(answered).toEqual(["ApiVersions"]);
    disk.letGo();
    await world.clock.settle();
    client.takeAnswers();
  }
  expect(answered).toEqual(["ApiVersions", 1]);
  expect(witness.batch(groupId, 0)).toBeDefined();
  expect(client.isClosed).toBe(false);
});

test("a producer id waits for the write of its block, and the rest of the block for none", async () => {
  await using staged = await stage();
  const { disk, witness, world } = staged;
  const client = new PipeliningClient(world.network.connect(9092));
  const ids: number[] = [];
  const ask = () =>
    client.send(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1 }, ({ producerId }) => {
      ids.push(producerId);
    });
  disk.holds = isOfJournal;
  ask();
  await world.clock.advance(5_000);
  client.takeAnswers();
  expect(ids).toEqual([]);
  expect(witness.commands.some(({ kind }) => kind === "allocateProducerIds")).toBe(false);
  disk.letGo();
  await world.clock.settle();
  ask();
  await world.clock.settle();
  client.takeAnswers();
  expect(ids).toEqual([0, 1]);
  expect(witness.commands.some(({ kind }) => kind === "allocateProducerIds")).toBe(true);
});

test("a write that fails is the end: nothing that it carried or that came after it is answered or shown", async () => {
  await using staged = await stage();
  const { disk, world } = staged;
  await world.createTopic("t");
  const client = new PipeliningClient(world.network.connect(9092));
  const answered: number[] = [];
  disk.holds = isOfJournal;
  produce(client, "lost", { onAnswer: (baseOffset) => answered.push(baseOffset) });
  await world.clock.settle();
  produce(client, "later", { acks: 1, onAnswer: (baseOffset) => answered.push(baseOffset) });
  const partition = world.broker.partitions.find("t", 0);
  const heldCount = disk.heldCount;
  disk.fail();
  await world.clock.advance(5_000);
  client.takeAnswers();
  expect(answered).toEqual([]);
  expect(world.fatal).toHaveLength(1);
  expect(partition?.highWatermark).toBe(0);
  expect(disk.heldCount, "no write is tried after one that failed").toBe(heldCount);
});
