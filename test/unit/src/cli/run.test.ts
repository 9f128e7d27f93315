import { createServer, type Server } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { allCommands } from "#src/cli/command-lookup.ts";
import { commandTree } from "#src/cli/command-tree.ts";
import { FakeWorld, runLine } from "./fake-world.ts";

describe("help", () => {
  test("without a command goes to the talk, and is misuse", async () => {
    const { exitCode, output, talk } = await runLine([]);
    expect({ exitCode, output }).toEqual({ exitCode: 2, output: "" });
    expect(talk).toContain("Usage:");
  });

  test.each([["--help"], ["-h"], ["help"]])("%s is a result, and success", async (word) => {
    const { exitCode, output, talk } = await runLine([word]);
    expect({ exitCode, talk }).toEqual({ exitCode: 0, talk: "" });
    for (const { name } of commandTree) expect(output).toContain(`  ${name}`);
  });

  const named = allCommands(commandTree).filter(({ takesRawWords }) => !takesRawWords);
  test.each(named.map(({ name }) => name))("of %s comes by flag and by word", async (name) => {
    const words = name.split(" ");
    const byFlag = await runLine([...words, "--help"]);
    expect(byFlag.exitCode).toBe(0);
    expect(byFlag.output).toContain(`millrace ${name}`);
    expect(await runLine(["help", ...words])).toEqual(byFlag);
  });

  test("of a group lists its commands; the group alone is misuse", async () => {
    expect((await runLine(["topics", "--help"])).output).toContain("topics create");
    expect(await runLine(["topics"])).toMatchObject({ exitCode: 2, output: "" });
  });

  test("no line is wider than a page", async () => {
    for (const { name, takesRawWords } of allCommands(commandTree)) {
      if (takesRawWords) continue;
      const { output } = await runLine([...name.split(" "), "--help"]);
      for (const line of output.split("\n")) expect(line.length).toBeLessThanOrEqual(125);
    }
  });

  test("--version names the version", async () => {
    expect((await runLine(["--version"])).output).toBe(`millrace 1.2.3 (node ${process.version})\n`);
  });
});

describe("misuse is one line and exit code 2", () => {
  test.each([
    [["topcs"], 'there is no such command, did you mean "millrace topics"'],
    [["topics", "creat", "x"], 'did you mean "millrace topics create"'],
    [["xyzzy"], 'see "millrace --help"'],
    [["--json"], 'Cannot use the flag "--json": a command comes first'],
    [["topics", "create"], "TOPIC is missing"],
    [
      ["topics", "create", "t", "-p", "0"],
      'Cannot use --partitions "0": it is a whole number, from 1 to 100000',
    ],
    [["topics", "create", "t", "-c", "retention.ms"], 'Cannot use --config "retention.ms": it is KEY=VALUE'],
    [["cluster", "maintenance", "--on"], "use --node ID"],
    [["cluster", "maintenance", "--node", "1"], "use either --on or --off"],
    [["cluster", "decommission", "--node", "1", "--status", "--cancel"], "use either --status or --cancel"],
    [["cluster", "maintenence"], 'Cannot use the word "maintenence"'],
    [["topics", "list", "-b", "a:b:c"], 'Cannot use --bootstrap-server "a:b:c": it is HOST:PORT'],
    [["topics", "list", "-b", "a:70000"], "it is HOST:PORT"],
    [["topics", "list", "--timeout", "0"], 'Cannot use --timeout "0"'],
    [["topics", "configs", "set", "t", "x"], 'Cannot use KEY=VALUE "x"'],
    [["produce", "t", "--acks", "2"], "it is one of all, -1, 1, 0"],
    [["produce", "t", "-z", "brotli"], "it is one of none, gzip, snappy, lz4, zstd"],
    [["produce", "t", "-K", "\\q"], 'Cannot use --key-separator "\\q"'],
    [["produce", "t", "-K", ":", "--key", "k"], "Cannot use --key with --key-separator"],
    [["produce", "t", "--format", "json", "-K", ":"], "with --format json"],
    [["consume", "t", "--from", "yesterday"], 'Cannot use --from "yesterday"'],
    [["consume", "t", "--from", "+3"], "it is past the end"],
    [["consume", "t", "-g", "g", "-p", "1"], "Cannot use --partition with --group"],
    [["consume", "t", "-f", "%x"], 'Cannot use --format "%x"'],
    [["consume", "t", "-f", "%s", "--json"], "each says how to print"],
    [["consume", "t", "--count", "-1"], 'Cannot use --count "-1"'],
    [["groups", "reset", "g"], "--to is missing"],
    [["completion", "tcsh"], 'Cannot complete for the shell "tcsh": it is one of bash, zsh, fish'],
  ])("%j", async (args, part) => {
    const { exitCode, output, talk } = await runLine(args);
    expect({ exitCode, output }).toEqual({ exitCode: 2, output: "" });
    expect(talk).toContain(part);
    expect(talk).toMatch(/^millrace: Cannot [^\n]+\n$/);
  });
});

describe("a broker that cannot be reached", () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  async function serving(answer: (data: Buffer) => Buffer | "close"): Promise<string> {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.on("data", (data) => {
        const bytes = answer(data);
        if (bytes === "close") socket.destroy();
        else socket.write(bytes);
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    return `127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  async function refusedPort(): Promise<string> {
    const address = await serving(() => "close");
    await new Promise((resolve) => servers.pop()?.close(resolve));
    return address;
  }

  test("refuses: the address is named, and how to start one", async () => {
    const address = await refusedPort();
    const { exitCode, talk } = await runLine(["topics", "list", "-b", address]);
    expect(exitCode).toBe(1);
    expect(talk).toBe(
      `millrace: Cannot reach a broker at ${address}: the connection was refused\n` +
        '  Start a broker with "millrace start", or name another with --bootstrap-server HOST:PORT\n',
    );
  });

  test("every address that was tried is named", async () => {
    const [first, second] = [await refusedPort(), await refusedPort()];
    const { talk } = await runLine(["topics", "list", "-b", `${first},${second}`]);
    expect(talk).toContain(first);
    expect(talk).toContain(second);
  });

  test("the address may come from the environment", async () => {
    const world = new FakeWorld();
    const address = await refusedPort();
    world.environment = { KAFKA_BOOTSTRAP_SERVERS: address };
    expect((await runLine(["topics", "list"], world)).talk).toContain(address);
    world.environment = { KAFKA_BOOTSTRAP_SERVERS: "a b" };
    expect(await runLine(["topics", "list"], world)).toMatchObject({
      exitCode: 2,
      talk: expect.stringContaining('KAFKA_BOOTSTRAP_SERVERS "a b"'),
    });
  });

  test("is a web server: that is said", async () => {
    const address = await serving(() => Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"));
    const { exitCode, talk } = await runLine(["cluster", "-b", address]);
    expect(exitCode).toBe(1);
    expect(talk).toContain("does not speak Kafka's protocol");
    expect(talk).toContain("PLAINTEXT listener");
  });

  test("closes the connection: that is said", async () => {
    const address = await serving(() => "close");
    expect((await runLine(["cluster", "-b", address])).talk).toMatch(
      /closed the connection|connection broke/,
    );
  });

  test("says nothing: it is given up after the timeout", async () => {
    const address = await serving(() => Buffer.alloc(0));
    const { exitCode, talk } = await runLine(["cluster", "-b", address, "--timeout", "1"]);
    expect(exitCode).toBe(1);
    expect(talk).toContain("no answer to ApiVersions within 1 s");
  });
});

test("problems are red where the talk has colour", async () => {
  const world = new FakeWorld();
  world.terminal.hasErrorColour = true;
  expect((await runLine(["xyzzy"], world)).talk).toContain("\u001b[31mmillrace:\u001b[39m Cannot run");
});
