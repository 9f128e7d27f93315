import { describe, expect, test } from "vitest";
import { FakeWorld } from "../../unit/src/cli/fake-world.ts";
import { uniqueName } from "../test-broker.ts";
import { useCli } from "./cli-session.ts";

const cli = useCli({ "num.partitions": "2", "auto.create.topics.enable": "false" });

describe("topics create", () => {
  test("takes partitions and configs, and the broker's defaults", async () => {
    const [first, second] = [uniqueName("a"), uniqueName("b")];
    expect(await cli.ok(["topics", "create", first, "-p", "3", "-c", "retention.ms=1000"])).toBe(
      `Created topic "${first}" with 3 partitions\n`,
    );
    expect(await cli.json(["topics", "create", second])).toEqual([
      { name: second, isCreated: true, partitionCount: 2, replicationFactor: 1, error: null },
    ]);
    expect(await cli.json(["topics", "describe", first])).toMatchObject([
      {
        name: first,
        configs: { "retention.ms": "1000" },
        partitions: [{ partition: 0 }, { partition: 1 }, { partition: 2 }],
      },
    ]);
  });

  test("fails for a topic that is there, unless that is fine; the others are created", async () => {
    const [old, fresh] = [uniqueName("old"), uniqueName("fresh")];
    await cli.ok(["topics", "create", old]);
    const { exitCode, output, talk } = await cli.run(["topics", "create", old, fresh]);
    expect(exitCode).toBe(1);
    expect(output).toBe(`Created topic "${fresh}" with 2 partitions\n`);
    expect(talk).toContain(`millrace: Cannot create topic "${old}": `);
    expect(talk).toContain("--if-not-exists");
    expect(await cli.ok(["topics", "create", old, "--if-not-exists"])).toContain("is there already");
  });

  test("a dry run creates nothing, and finds what is wrong", async () => {
    const name = uniqueName("dry");
    expect(await cli.ok(["topics", "create", name, "--dry-run"])).toContain("could be created");
    expect(await cli.ok(["topics", "list"])).not.toContain(name);
    const wrong = await cli.run(["topics", "create", name, "--dry-run", "-c", "retention.ms=soon"]);
    expect(wrong).toMatchObject({ exitCode: 1, talk: expect.stringContaining("INVALID_CONFIG") });
  });

  test("more replicas than brokers: the hint says where to look", async () => {
    const { exitCode, talk } = await cli.run(["topics", "create", uniqueName("r"), "-r", "3"]);
    expect(exitCode).toBe(1);
    expect(talk).toContain('"millrace cluster"');
  });
});

describe("topics list", () => {
  test("shows a table, internal topics only when asked", async () => {
    const name = uniqueName("listed");
    await cli.ok(["topics", "create", name, "-p", "5"]);
    await cli.ok(["consume", name, "-g", uniqueName("g"), "-e"]);
    const table = await cli.ok(["topics", "list"]);
    expect(table).toMatch(/^TOPIC +PARTITIONS +REPLICAS\n/);
    expect(table).toMatch(new RegExp(`^${name} +5 +1$`, "m"));
    expect(table).not.toContain("__consumer_offsets");
    expect(await cli.ok(["topics", "list", "--internal"])).toContain("__consumer_offsets");
  });
});

describe("topics describe", () => {
  test("shows offsets and sizes", async () => {
    const name = uniqueName("described");
    await cli.ok(["topics", "create", name, "-p", "1"]);
    await cli.ok(["produce", name], "a\nb\nc\n");
    const [topic] = (await cli.json(["topics", "describe", name])) as { partitions: object[] }[];
    expect(topic?.partitions).toMatchObject([
      { partition: 0, leader: 1, replicas: [1], inSyncReplicas: [1], startOffset: 0, endOffset: 3 },
    ]);
    expect(await cli.ok(["topics", "describe", name])).toMatch(/ 0 +3 +\d+ B\n/);
  });

  test("an unknown topic: the hint says how to find or make one", async () => {
    const { exitCode, talk } = await cli.run(["topics", "describe", "nonesuch"]);
    expect(exitCode).toBe(1);
    expect(talk).toContain('Cannot use topic "nonesuch"');
    expect(talk).toContain("topics create");
  });
});

test("topics add-partitions raises the count, and refuses to lower it", async () => {
  const name = uniqueName("grown");
  await cli.ok(["topics", "create", name]);
  expect(await cli.ok(["topics", "add-partitions", name, "4"])).toBe(`Topic "${name}" has 4 partitions\n`);
  expect(await cli.run(["topics", "add-partitions", name, "1"])).toMatchObject({
    exitCode: 1,
    talk: expect.stringContaining("INVALID_PARTITIONS"),
  });
});

describe("topics delete", () => {
  test("deletes; a topic that is not there is a failure unless that is fine", async () => {
    const name = uniqueName("doomed");
    await cli.ok(["topics", "create", name]);
    expect(await cli.ok(["topics", "delete", name])).toBe(`Deleted topic "${name}"\n`);
    expect((await cli.run(["topics", "delete", name])).exitCode).toBe(1);
    expect(await cli.ok(["topics", "delete", name, "--if-exists"])).toBe(`Topic "${name}" is not there\n`);
  });

  test("asks whoever can answer, and takes no for an answer", async () => {
    const name = uniqueName("asked");
    await cli.ok(["topics", "create", name]);
    const world = new FakeWorld();
    world.terminal.canAnswer = true;
    expect(await cli.run(["topics", "delete", name], { world })).toMatchObject({ exitCode: 1, output: "" });
    expect(world.terminal.questions).toEqual([`Delete topic "${name}" with all records?`]);
    expect(await cli.ok(["topics", "list"])).toContain(name);
    world.terminal.answer = true;
    expect((await cli.run(["topics", "delete", name], { world })).exitCode).toBe(0);
  });
});

describe("topics configs", () => {
  test("are set, shown and unset", async () => {
    const name = uniqueName("configured");
    await cli.ok(["topics", "create", name]);
    expect((await cli.run(["topics", "configs", "get", name])).talk).toContain("No config");
    await cli.ok(["topics", "configs", "set", name, "cleanup.policy=compact", "retention.ms=5000"]);
    expect(await cli.json(["topics", "configs", "get", name])).toMatchObject([
      { name: "cleanup.policy", value: "compact", source: "topic", isDefault: false },
      { name: "retention.ms", value: "5000" },
    ]);
    await cli.ok(["topics", "configs", "unset", name, "retention.ms"]);
    expect(await cli.ok(["topics", "configs", "get", name, "retention.ms"])).toMatch(
      /retention\.ms +604800000 +default/,
    );
    expect(await cli.ok(["topics", "configs", "get", name, "--all"])).toContain("segment.bytes");
  });

  test("a misspelt one is refused with the right spelling", async () => {
    const name = uniqueName("misspelt");
    await cli.ok(["topics", "create", name]);
    for (const args of [
      ["set", name, "retention.sm=1"],
      ["get", name, "retention.sm"],
    ]) {
      const { exitCode, talk } = await cli.run(["topics", "configs", ...args]);
      expect(exitCode).toBe(1);
      expect(talk).toContain('Did you mean "retention.ms"');
    }
  });
});

describe("cluster", () => {
  test("shows brokers, topics and health", async () => {
    expect(await cli.json(["cluster"])).toMatchObject({
      controllerId: 1,
      leaderlessPartitionCount: 0,
      underReplicatedPartitionCount: 0,
      brokers: [{ id: 1, host: "127.0.0.1", isController: true }],
    });
    const text = await cli.ok(["cluster"]);
    expect(text).toContain("all partitions are led and in sync");
    expect(text).toContain(cli.bootstrapServers);
  });

  test("shows which APIs are served", async () => {
    expect(await cli.ok(["cluster", "--apis"])).toMatch(/^ +0 +Produce +0 to \d+$/m);
  });
});

test("completion asks the cluster for topics and groups", async () => {
  const [topic, group] = [uniqueName("complete"), uniqueName("group")];
  await cli.ok(["topics", "create", topic]);
  await cli.ok(["consume", topic, "-g", group, "-e"]);
  const world = new FakeWorld();
  world.environment = { KAFKA_BOOTSTRAP_SERVERS: cli.bootstrapServers };
  const { runLine } = await import("../../unit/src/cli/fake-world.ts");
  expect((await runLine(["__complete", "--", "topics", "describe", "complete"], world)).output).toContain(
    `${topic}\t2 partitions\n`,
  );
  expect(
    await runLine(["__complete", "--", "consume", "-b", cli.bootstrapServers, topic, "-g", ""]),
  ).toMatchObject({
    exitCode: 0,
    output: expect.stringContaining(`${group}\tEmpty\n`),
  });
  // Without a broker there is nothing to offer, and nothing to complain about.
  expect(await runLine(["__complete", "--", "topics", "describe", "-b", "127.0.0.1:1", ""])).toEqual({
    exitCode: 0,
    output: "",
    talk: "",
  });
});
