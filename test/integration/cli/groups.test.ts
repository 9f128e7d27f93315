import { describe, expect, test } from "vitest";
import { FakeWorld } from "../../unit/src/cli/fake-world.ts";
import { uniqueName } from "../test-broker.ts";
import { waitUntil } from "../wait-until.ts";
import { useCli } from "./cli-session.ts";

const cli = useCli();

async function filledTopic(partitions: number, perPartition: number): Promise<string> {
  const topic = uniqueName("grouped");
  await cli.ok(["topics", "create", topic, "-p", String(partitions)]);
  const lines: string[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    for (let index = 0; index < perPartition; index++)
      lines.push(JSON.stringify({ value: `${partition}:${index}`, partition }));
  }
  await cli.ok(["produce", topic, "--format", "json"], lines.join("\n"));
  return topic;
}

describe("consume --group", () => {
  test("goes on where the group was, and leaves it", async () => {
    const topic = await filledTopic(1, 5);
    const group = uniqueName("group");
    expect(await cli.ok(["consume", topic, "-g", group, "-n", "2"])).toBe("0:0\n0:1\n");
    expect(await cli.ok(["consume", topic, "-g", group, "-e"])).toBe("0:2\n0:3\n0:4\n");
    expect(await cli.ok(["consume", topic, "-g", group, "-e"])).toBe("");
    expect(await cli.json(["groups", "describe", group])).toMatchObject([
      {
        name: group,
        state: "Empty",
        members: [],
        lag: 0,
        partitions: [{ topic, partition: 0, offset: 5, endOffset: 5 }],
      },
    ]);
  });

  test("a new group may begin at the end", async () => {
    const topic = await filledTopic(1, 3);
    expect(await cli.ok(["consume", topic, "-g", uniqueName("group"), "-e", "--from", "end"])).toBe("");
  });

  test("two members share the partitions, and whoever stays takes over", async () => {
    const topic = await filledTopic(4, 0);
    const group = uniqueName("group");
    const [first, second] = [new FakeWorld(), new FakeWorld()];
    const firstEnded = cli.run(["consume", topic, "-g", group], { world: first });
    const shares = async (): Promise<number[]> => {
      const { output, exitCode } = await cli.run(["groups", "describe", group, "--json"]);
      if (exitCode !== 0) return [];
      const [described] = JSON.parse(output) as { members: { partitionCount: number }[] }[];
      return described?.members.map(({ partitionCount }) => partitionCount) ?? [];
    };
    await waitUntil("the first member alone", async () => (await shares()).join() === "4");
    const secondEnded = cli.run(["consume", topic, "-g", group], { world: second });
    await waitUntil("both members", async () => (await shares()).join() === "2,2", 60_000);

    await cli.ok(
      ["produce", topic, "--format", "json"],
      [0, 1, 2, 3].map((partition) => `{"value":"${partition}","partition":${partition}}`).join("\n"),
    );
    const seen = () => [first, second].map(({ terminal }) => terminal.output.split("\n").filter(Boolean));
    await waitUntil("all four records", () => seen().flat().length === 4);
    expect(seen().map((lines) => lines.length)).toEqual([2, 2]);
    expect(seen().flat().toSorted()).toEqual(["0", "1", "2", "3"]);

    first.interrupter.abort();
    expect((await firstEnded).exitCode).toBe(0);
    await waitUntil("the second member alone", async () => (await shares()).join() === "4", 60_000);
    second.interrupter.abort();
    await secondEnded;
    expect(await cli.json(["groups", "describe", group])).toMatchObject([{ state: "Empty", lag: 0 }]);
  });
});

describe("groups list", () => {
  test("shows groups, and those in one state", async () => {
    const topic = await filledTopic(1, 1);
    const group = uniqueName("listed");
    await cli.ok(["consume", topic, "-g", group, "-e"]);
    expect(await cli.ok(["groups", "list"])).toMatch(new RegExp(`^${group} +Empty +classic +1$`, "m"));
    expect(await cli.ok(["groups", "list", "--state", "Empty"])).toContain(group);
    expect(await cli.json(["groups", "list", "--state", "Stable"])).toEqual([]);
  });
});

describe("groups describe", () => {
  test("shows the lag of each partition", async () => {
    const topic = await filledTopic(2, 3);
    const group = uniqueName("lagging");
    await cli.ok(["consume", topic, "-g", group, "-n", "3"]);
    const table = await cli.ok(["groups", "describe", group]);
    expect(table).toContain("lag 3");
    const [described] = (await cli.json(["groups", "describe", group])) as {
      partitions: { lag: number }[];
    }[];
    expect(described?.partitions.reduce((sum, { lag }) => sum + lag, 0)).toBe(3);
  });

  test("shows offsets of a topic that is gone", async () => {
    const topic = await filledTopic(1, 1);
    const group = uniqueName("orphaned");
    await cli.ok(["consume", topic, "-g", group, "-e"]);
    await cli.ok(["topics", "delete", topic]);
    const ran = await cli.run(["groups", "describe", group]);
    // Brokers differ in whether a topic's end takes its offsets along.
    expect(ran.exitCode).toBe(0);
  });

  test("an unknown group is a failure", async () => {
    const { exitCode, talk } = await cli.run(["groups", "describe", "nonesuch"]);
    expect(exitCode).toBe(1);
    expect(talk).toContain('Cannot describe group "nonesuch"');
    expect(talk).toContain("groups list");
  });
});

describe("groups reset", () => {
  test("shows what would change, and changes it when told to", async () => {
    const topic = await filledTopic(2, 10);
    const group = uniqueName("reset");
    await cli.ok(["consume", topic, "-g", group, "-e"]);
    const offsets = async (): Promise<(number | null)[]> => {
      const [described] = (await cli.json(["groups", "describe", group])) as {
        partitions: { offset: number }[];
      }[];
      return described?.partitions.map(({ offset }) => offset) ?? [];
    };
    const dry = await cli.run(["groups", "reset", group, "--to", "beginning"]);
    expect(dry.talk).toContain("--execute");
    expect(await offsets()).toEqual([10, 10]);

    await cli.ok(["groups", "reset", group, "--to", "beginning", "--execute"]);
    expect(await offsets()).toEqual([0, 0]);
    await cli.ok(["groups", "reset", group, "-t", `${topic}:1`, "--to", "+4", "--execute"]);
    expect(await offsets()).toEqual([0, 4]);
    await cli.ok(["groups", "reset", group, "-t", topic, "--to=-1", "--execute"]);
    expect(await offsets()).toEqual([0, 3]);
    await cli.ok(["groups", "reset", group, "-t", topic, "--to", "99", "--execute"]);
    expect(await offsets()).toEqual([10, 10]);
    await cli.ok(["groups", "reset", group, "-t", topic, "--to", "2000-01-01", "--execute"]);
    expect(await offsets()).toEqual([0, 0]);
  });

  test("makes a group that is to begin somewhere", async () => {
    const topic = await filledTopic(1, 3);
    const group = uniqueName("made");
    expect((await cli.run(["groups", "reset", group, "--to", "end"])).talk).toContain("--topic TOPIC");
    await cli.ok(["groups", "reset", group, "-t", topic, "--to", "2", "--execute"]);
    expect(await cli.ok(["consume", topic, "-g", group, "-e"])).toBe("0:2\n");
  });

  test("is refused while the group has members", async () => {
    const topic = await filledTopic(1, 1);
    const group = uniqueName("busy");
    const world = new FakeWorld();
    const ended = cli.run(["consume", topic, "-g", group], { world });
    await waitUntil("a member that reads", () => world.terminal.output !== "");
    const reset = await cli.run(["groups", "reset", group, "-t", topic, "--to", "0", "--execute"]);
    expect(reset).toMatchObject({ exitCode: 1, talk: expect.stringContaining("it has members") });
    const removal = await cli.run(["groups", "delete", group]);
    expect(removal).toMatchObject({ exitCode: 1, talk: expect.stringContaining("NON_EMPTY_GROUP") });
    world.interrupter.abort();
    await ended;
    expect(await cli.ok(["groups", "delete", group])).toBe(`Deleted group "${group}"\n`);
    expect((await cli.run(["groups", "delete", group])).exitCode).toBe(1);
  });
});
