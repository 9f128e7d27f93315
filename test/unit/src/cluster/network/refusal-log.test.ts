import pino from "pino";
import { expect, test } from "vitest";
import type { Refusal } from "#raft/transport/refusal.ts";
import { RefusalLog } from "#src/cluster/network/refusal-log.ts";

function world() {
  const lines: { level: number; msg: string; count?: number }[] = [];
  const timers: (() => void)[] = [];
  let nowMs = 0;
  const logger = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const log = new RefusalLog(logger, {
    monotonicMs: () => nowMs,
    schedule: (_, callback) => {
      timers.push(callback);
      return () => timers.splice(0);
    },
  });
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { log, lines, timers, pass };
}

function refusal(changes: Partial<Refusal>): Refusal {
  return {
    ...{ direction: "inbound", by: "local", code: "foreignCluster", remoteAddress: "10.0.0.4", nodeId: 4 },
    message: "Cannot talk to node 4: it belongs elsewhere",
    ...changes,
  };
}

test("who keeps a node out warns, and the node that is kept out calls for help", () => {
  const { log, lines } = world();
  log.tell(refusal({}));
  log.tell(refusal({ direction: "outbound", by: "remote", nodeId: 1 }));
  expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
    [40, "Cannot talk to node 4: it belongs elsewhere"],
    [50, "Node 1 refuses this node: Cannot talk to node 4: it belongs elsewhere"],
  ]);
});

test("what lasts is told once a minute", () => {
  const { log, lines, pass } = world();
  for (let count = 0; count < 24; count++) {
    log.tell(refusal({}));
    log.tell(refusal({ nodeId: 5 }));
    pass(5_000);
  }
  expect(lines).toHaveLength(4);
});

test("a storm of strangers is a few lines and a number", () => {
  const { log, lines, timers } = world();
  for (let count = 0; count < 500; count++) log.tell(refusal({ code: "stranger", nodeId: undefined }));
  for (const ring of timers) ring();
  expect(lines).toHaveLength(11);
  expect(lines.at(-1)?.count).toBe(490);
  log.tell(refusal({ code: "stranger", nodeId: undefined }));
  log.close();
  expect(timers).toEqual([]);
});
