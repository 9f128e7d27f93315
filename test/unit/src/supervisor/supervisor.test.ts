import { expect, test } from "vitest";
import type { ChildEvents, StartChild } from "#src/runtime/child-process.ts";
import type { NodePlan } from "#src/supervisor/node-plan.ts";
import { servingMessage } from "#src/supervisor/supervised-node.ts";
import { Supervisor } from "#src/supervisor/supervisor.ts";
import { FakeClock } from "../runtime/fake-clock.ts";

interface FakeChild {
  readonly pid: number;
  readonly args: readonly string[];
  readonly events: ChildEvents;
  readonly signals: string[];
}

function planOf(nodeId: number): NodePlan {
  return {
    nodeId,
    flags: [`--node.id=${nodeId}`],
    logDirectory: `data/node-${nodeId}`,
    addresses: [`h:${9091 + nodeId}`],
  };
}

/** A supervisor of nodes that a test lets live and die. */
function supervise(count: number) {
  const clock = new FakeClock();
  const children: FakeChild[] = [];
  const said: string[] = [];
  const startChild: StartChild = (args, events) => {
    const child: FakeChild = { pid: 100 + children.length, args, events, signals: [] };
    children.push(child);
    return { pid: child.pid, signal: (signal) => void child.signals.push(signal) };
  };
  const supervisor = new Supervisor({
    nodes: Array.from({ length: count }, (_, index) => planOf(index + 1)),
    args: ["--shared=1"],
    startChild,
    clock,
    voice: {
      allServe: (nodes) => said.push(`all serve: ${nodes.map(({ pid }) => pid).join()}`),
      serves: ({ nodeId }, pid) => said.push(`${nodeId} serves: ${pid}`),
      ended: ({ nodeId }, { signal, code }, ms) => said.push(`${nodeId} ended ${signal ?? code}: ${ms}`),
      refused: ({ nodeId }, { signal, code }) => said.push(`${nodeId} refused ${signal ?? code}`),
      stopping: () => said.push("stopping"),
      line: ({ nodeId }, text) => said.push(`${nodeId}: ${text}`),
    },
  });
  const exitCode = supervisor.run();
  return { supervisor, clock, children, said, exitCode };
}

function serve(child: FakeChild | undefined): void {
  child?.events.message(servingMessage);
}

const killed = { code: null, signal: "SIGKILL" };
const stopped = { code: 0, signal: null };

test("all nodes start with what they share and what is theirs, and are announced once all serve", () => {
  const { children, said } = supervise(2);
  expect(children.map(({ args }) => args)).toEqual([
    ["--shared=1", "--node.id=1"],
    ["--shared=1", "--node.id=2"],
  ]);
  serve(children[1]);
  expect(said).toEqual([]);
  serve(children[0]);
  children[0]?.events.line("text");
  expect(said).toEqual(["all serve: 100,101", "1: text"]);
});

test("a node that dies starts again, later and later unless it served for a while", async () => {
  const { children, said, clock } = supervise(2);
  children.forEach(serve);
  children[1]?.events.ended(killed);
  expect(children).toHaveLength(2);
  await clock.advance(500);
  serve(children[2]);
  children[2]?.events.ended(killed);
  await clock.advance(999);
  expect(children).toHaveLength(3);
  await clock.advance(1);
  serve(children[3]);
  await clock.advance(60_000);
  children[3]?.events.ended(killed);
  expect(said.slice(1)).toEqual([
    "2 ended SIGKILL: 500",
    "2 serves: 102",
    "2 ended SIGKILL: 1000",
    "2 serves: 103",
    "2 ended SIGKILL: 500",
  ]);
});

test("a node that does not come back is tried for ever, at most every 30 seconds", async () => {
  const { children, clock, said } = supervise(1);
  serve(children[0]);
  for (let life = 0; life < 10; life++) {
    children.at(-1)?.events.ended({ code: 1, signal: null });
    await clock.advance(30_000);
  }
  expect(children).toHaveLength(11);
  expect(said.at(-1)).toBe("1 ended 1: 30000");
});

test("a node that ends before it ever served ends them all, with its exit code", async () => {
  const { children, said, exitCode } = supervise(2);
  serve(children[0]);
  children[1]?.events.ended({ code: 2, signal: null });
  expect(said).toEqual(["2 refused 2"]);
  expect(children[0]?.signals).toEqual(["SIGTERM"]);
  children[0]?.events.ended(stopped);
  expect(await exitCode).toBe(2);
});

test("stopping asks every node and waits for them all; nodes that wait for their restart do not come back", async () => {
  const { supervisor, children, clock, exitCode, said } = supervise(3);
  children.forEach(serve);
  children[2]?.events.ended(killed);
  supervisor.stop();
  expect(children.map(({ signals }) => signals)).toEqual([["SIGTERM"], ["SIGTERM"], []]);
  children[0]?.events.ended(stopped);
  children[1]?.events.ended(stopped);
  expect(await exitCode).toBe(0);
  await clock.advance(60_000);
  expect(children).toHaveLength(3);
  expect(clock.timerCount).toBe(0);
  expect(said.at(-1)).toBe("stopping");
});

test("a second request to stop goes to the nodes, too, and one that hangs is killed in the end", async () => {
  const { supervisor, children, clock, exitCode } = supervise(1);
  serve(children[0]);
  supervisor.stop();
  supervisor.stop();
  expect(children[0]?.signals).toEqual(["SIGTERM", "SIGTERM"]);
  await clock.advance(30_000);
  expect(children[0]?.signals.at(-1)).toBe("SIGKILL");
  children[0]?.events.ended(killed);
  expect(await exitCode).toBe(1);
});
