import * as fc from "fast-check";
import { expect, test } from "vitest";
import { replicaId } from "#raft/core/replica-id.ts";
import { applyCommand, type CommandResult } from "#src/cluster/metadata/apply-command.ts";
import { fromSnapshot, toSnapshot } from "#src/cluster/metadata/image-snapshot.ts";
import {
  decodeCommand,
  decodeSnapshot,
  encodeCommand,
  encodeSnapshot,
  type MetadataCommand,
} from "#src/cluster/metadata/metadata-command.ts";
import {
  configsOf,
  emptyImage,
  type MetadataImage,
  topicById,
} from "#src/cluster/metadata/metadata-image.ts";

const create = (name: string, topicId = `id-${name}`, count = 1): MetadataCommand => ({
  kind: "createTopic",
  name,
  topicId,
  partitions: Array.from({ length: count }, () => [1]),
  configs: {},
});

/** The image after commands, and what the last one came to. */
function after(...commands: MetadataCommand[]): { image: MetadataImage; result: CommandResult } {
  let state: { image: MetadataImage; result: CommandResult } = {
    image: emptyImage,
    result: { kind: "done" },
  };
  for (const command of commands) state = applyCommand(state.image, command);
  return state;
}

const names = fc.constantFrom("a", "b", "a.b", "a_b", "__consumer_offsets");
const configs = fc.dictionary(fc.constantFrom("retention.ms", "x:y"), fc.string({ maxLength: 5 }), {
  noNullPrototype: true,
});
const commands: fc.Arbitrary<MetadataCommand> = fc.oneof(
  fc.record({ kind: fc.constant("nameCluster" as const), clusterId: fc.constant("cluster") }),
  fc.record({
    kind: fc.constant("registerBroker" as const),
    nodeId: fc.nat(3),
    incarnation: fc.string({ maxLength: 4 }),
    rack: fc.constantFrom("", "r"),
    endpoints: fc.array(
      fc.record({
        listener: fc.constant("PLAINTEXT"),
        host: fc.string({ maxLength: 4 }),
        port: fc.nat(65_535),
      }),
      { maxLength: 2 },
    ),
    directoryId: fc.constantFrom("", "disk"),
    generation: fc.nat(3),
    peerHost: fc.constantFrom("", "h"),
    peerPort: fc.nat(65_535),
    isControllerOnly: fc.boolean(),
    isFenced: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("setFenced" as const),
    nodeId: fc.nat(3),
    incarnation: fc.string({ maxLength: 1 }),
    isFenced: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("unregisterBroker" as const), nodeId: fc.nat(3) }),
  fc
    .record({
      kind: fc.constant("createTopic" as const),
      name: names,
      partitions: fc.array(fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 3 }), { maxLength: 4 }),
      configs,
    })
    .map((command) => ({ ...command, topicId: `id-${command.name}` })),
  fc.record({
    kind: fc.constant("addPartitions" as const),
    topicId: names.map((name) => `id-${name}`),
    existing: fc.nat(3),
    partitions: fc.array(fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
  }),
  fc.record({
    kind: fc.constant("replaceDisk" as const),
    nodeId: fc.nat(3),
    directoryId: fc.constantFrom("disk", "next"),
  }),
  fc.record({
    kind: fc.constant("setReplicas" as const),
    topicId: names.map((name) => `id-${name}`),
    partition: fc.nat(2),
    replicas: fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant("completeMove" as const),
    topicId: names.map((name) => `id-${name}`),
    partition: fc.nat(2),
    replicas: fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 3 }),
    settledAt: fc.option(fc.record({ index: fc.nat(), term: fc.nat() })),
  }),
  fc.record({
    kind: fc.constant("cancelMove" as const),
    topicId: names.map((name) => `id-${name}`),
    partition: fc.nat(2),
  }),
  fc.record({ kind: fc.constant("deleteTopic" as const), topicId: names.map((name) => `id-${name}`) }),
  fc.record({
    kind: fc.constant("setConfigs" as const),
    resource: fc.constantFrom("topic" as const, "broker" as const, "group" as const),
    name: fc.constantFrom("", "a", "g:h"),
    configs,
    expected: fc.option(fc.record({ texts: configs })),
  }),
  fc.record({ kind: fc.constant("allocateProducerIds" as const), nodeId: fc.nat(3), count: fc.nat(1_000) }),
);

test("every command is read back from the log as it was proposed", () =>
  fc.assert(
    fc.property(commands, (command) => {
      expect(decodeCommand(encodeCommand(command))).toEqual(command);
    }),
  ));

test("a snapshot is the state: what follows it comes to the same", () =>
  fc.assert(
    fc.property(
      fc.array(commands, { maxLength: 20 }),
      fc.array(commands, { maxLength: 5 }),
      (before, rest) => {
        const { image } = after(...before);
        const stored = decodeSnapshot(encodeSnapshot(toSnapshot(image, 3)));
        const restored = fromSnapshot(stored);
        expect(restored).toEqual(image);
        const apply = (from: MetadataImage) =>
          rest.map((command) => {
            const next = applyCommand(from, command);
            from = next.image;
            return next;
          });
        expect(apply(restored)).toEqual(apply(image));
      },
    ),
  ));

test("groups and producer ids are never given twice", () =>
  fc.assert(
    fc.property(fc.array(commands, { maxLength: 40 }), (sequence) => {
      let image = emptyImage;
      const groupIds: number[] = [];
      const known = new Set<number>();
      let nextProducerId = 0;
      for (const command of sequence) {
        const next = applyCommand(image, command);
        for (const { partitions } of next.image.topics.values()) {
          for (const { groupId } of partitions) {
            if (!known.has(groupId)) groupIds.push(groupId);
            known.add(groupId);
          }
        }
        if (next.result.kind === "producerIds") {
          expect(next.result.first).toBe(nextProducerId);
          nextProducerId += next.result.count;
        }
        image = next.image;
      }
      expect(groupIds).toEqual([...groupIds].sort((a, b) => a - b));
      expect(known.has(0)).toBe(false);
    }),
  ));

test("a lost disk is replaced once its node is gone, and never by one that was there before", () => {
  const register = (directoryId: string): MetadataCommand => ({
    ...{ kind: "registerBroker", nodeId: 1, incarnation: directoryId, rack: "", endpoints: [], directoryId },
    isFenced: false,
  });
  const replace = (directoryId: string): MetadataCommand => ({ kind: "replaceDisk", nodeId: 1, directoryId });
  const gone = [
    register("old"),
    { kind: "setFenced", nodeId: 1, incarnation: "old", isFenced: true },
  ] as const;
  expect(after(replace("new")).result).toEqual({ kind: "unknownNode" });
  expect(after(register("old"), replace("new")).result).toEqual({ kind: "nodeLives" });
  expect(after(...gone, replace("new")).result).toEqual({ kind: "disk", incarnation: 1 });
  expect(after(...gone, replace("new"), replace("new")).result).toEqual({ kind: "disk", incarnation: 1 });
  expect(after(...gone, register("new")).result).toEqual({ kind: "foreignDirectory" });
  expect(after(...gone, replace("new"), register("old")).result).toEqual({ kind: "foreignDirectory" });
  const replaced = after(...gone, create("before"), replace("new"), register("new"), create("after")).image;
  expect(replaced.topics.get("before")?.partitions[0]?.founders).toBeUndefined();
  expect(replaced.topics.get("after")?.partitions[0]?.founders).toEqual([
    replicaId({ nodeId: 1, incarnation: 1 }),
  ]);
});

test("a move is done when the replicas that are wanted by then are there, and can be taken back before", () => {
  const place = { topicId: "id-a", partition: 0 } as const;
  const moving = [create("a"), { kind: "setReplicas", ...place, replicas: [2, 3] }] as MetadataCommand[];
  const partition = (...commands: MetadataCommand[]) =>
    after(...moving, ...commands).image.topics.get("a")?.partitions[0];
  const founders = [1];
  expect(partition()).toMatchObject({ replicas: [2, 3, 1], move: { adding: [2, 3], removing: [1] } });
  const settledAt = { index: 7, term: 2 };
  const settled = { kind: "completeMove", ...place, replicas: [2, 3], settledAt } as const;
  expect(partition({ ...settled, replicas: [3] })).toEqual(partition());
  expect(partition(settled)).toEqual({ index: 0, groupId: 1, replicas: [2, 3], founders, settledAt });
  expect(partition(settled, { kind: "setReplicas", ...place, replicas: [1] })).toMatchObject({ settledAt });
  expect(partition({ kind: "cancelMove", ...place })).toMatchObject({
    replicas: [1],
    move: { leaving: [2, 3] },
  });

  const again = after(...moving, { kind: "cancelMove", ...place }, { kind: "cancelMove", ...place });
  expect(again.result).toEqual({ kind: "noMove" });
  expect(after(create("a"), { kind: "setReplicas", ...place, partition: 1, replicas: [2] }).result).toEqual({
    kind: "unknownPartition",
  });
});

test("a topic that exists, or would look the same in metric names, changes nothing (trap 63)", () => {
  const taken = after(create("a.b"), create("a.b", "other"));
  expect(taken.result).toEqual({ kind: "topicExists" });
  expect(topicById(taken.image, "other")).toBeUndefined();
  expect(after(create("a.b"), create("a_b")).result).toEqual({ kind: "topicCollides", with: "a.b" });
  expect(after(create("a.b"), create("a-b")).result).toEqual({ kind: "done" });
});

test("a topic that is made again has neither the old one's configs nor its groups (trap 31)", () => {
  const { image } = after(
    create("t", "first"),
    { kind: "setConfigs", resource: "topic", name: "t", configs: { "retention.ms": "1" }, expected: null },
    { kind: "deleteTopic", topicId: "first" },
    create("t", "second"),
  );
  expect(configsOf(image, "topic", "t").size).toBe(0);
  expect(image.topics.get("t")?.partitions.map(({ groupId }) => groupId)).toEqual([2]);
  expect(topicById(image, "first")).toBeUndefined();
});

test("partitions are added only to as many as the proposer saw", () => {
  const add = (existing: number): MetadataCommand => ({
    kind: "addPartitions",
    topicId: "id-t",
    existing,
    partitions: [[1], [1]],
  });
  expect(after(create("t"), add(2)).result).toEqual({ kind: "partitionsChanged" });
  expect(after(add(1)).result).toEqual({ kind: "unknownTopic" });
  const grown = after(create("t"), create("u"), add(1));
  expect(grown.image.topics.get("t")?.partitions.map(({ index, groupId }) => [index, groupId])).toEqual([
    [0, 1],
    [1, 3],
    [2, 4],
  ]);
});

test("a cluster keeps its name", () => {
  const name = (clusterId: string): MetadataCommand => ({ kind: "nameCluster", clusterId });
  expect(after(name("first"), name("second")).image.clusterId).toBe("first");
});

const registration = {
  kind: "registerBroker",
  nodeId: 2,
  incarnation: "first",
  rack: "",
  endpoints: [],
  directoryId: "disk",
  isFenced: false,
} as const;

test("a node that comes with another disk is not taken for the one that is registered", () => {
  const again = { ...registration, incarnation: "second" };
  expect(after(registration, { ...again, directoryId: "other" }).result).toEqual({
    kind: "foreignDirectory",
  });
  const { image, result } = after(registration, again);
  expect(result).toEqual({ kind: "done" });
  expect(image.brokers.get(2)?.incarnation).toBe("second");
});

test("a broker is fenced for the start that was meant, and no longer once it has started anew", () => {
  const fence = { kind: "setFenced", nodeId: 2, incarnation: "first", isFenced: true } as const;
  const again = { ...registration, incarnation: "second" };
  expect(after(registration, fence).image.brokers.get(2)?.isFenced).toBe(true);
  expect(after(registration, fence, again).image.brokers.get(2)?.isFenced).toBe(false);
  expect(after(registration, again, fence).image.brokers.get(2)?.isFenced).toBe(false);
});

test("a broker is forgotten once it is gone and empty, with all that was set for it", () => {
  const create: MetadataCommand = {
    ...{ kind: "createTopic", name: "t", topicId: "id-t", partitions: [[2]], configs: {} },
  };
  const configure: MetadataCommand = {
    ...{ kind: "setConfigs", resource: "broker", name: "2", configs: { x: "y" }, expected: null },
  };
  const unregister: MetadataCommand = { kind: "unregisterBroker", nodeId: 2 };
  const fence = { kind: "setFenced", nodeId: 2, incarnation: "first", isFenced: true } as const;
  const remove: MetadataCommand = { kind: "deleteTopic", topicId: "id-t" };
  const before = [registration, create, configure] as const;
  expect(after(...before, { ...unregister, nodeId: 3 }).result.kind).toBe("notRegistered");
  expect(after(...before, unregister).result.kind).toBe("notFenced");
  expect(after(...before, fence, unregister).result.kind).toBe("holdsReplicas");
  const { image, result } = after(...before, fence, remove, unregister);
  expect(result.kind).toBe("done");
  expect([...image.brokers.keys()]).toEqual([]);
  expect([...configsOf(image, "broker", "2")]).toEqual([]);
});

test("a creation that is proposed twice is done once", () => {
  const creation = { kind: "createTopic", name: "a", topicId: "id", partitions: [[1]], configs: {} } as const;
  const { image, result } = after(creation, creation);
  expect(result).toEqual({ kind: "done" });
  expect(image.nextGroupId).toBe(2);
});

test("configs that were changed meanwhile are not overwritten by who has not seen the change", () => {
  const set = (value: string, expected: Record<string, string>) =>
    ({
      kind: "setConfigs",
      resource: "group",
      name: "g",
      configs: { a: value },
      expected: { texts: expected },
    }) as const;
  const first = set("1", {});
  expect(after(first, set("2", {})).result).toEqual({ kind: "configsChanged" });
  expect(configsOf(after(first, set("2", {})).image, "group", "g").get("a")).toBe("1");
  expect(configsOf(after(first, set("2", { a: "1" })).image, "group", "g").get("a")).toBe("2");
});
