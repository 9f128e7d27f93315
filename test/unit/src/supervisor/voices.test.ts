import pino from "pino";
import { expect, test } from "vitest";
import { jsonVoice } from "#src/supervisor/json-voice.ts";
import { plainVoice } from "#src/supervisor/plain-voice.ts";

const node = { nodeId: 2, flags: [], logDirectory: "data/node-2", addresses: ["h:9093"] };

test("a node's log lines stay JSON and carry its id", () => {
  const lines: string[] = [];
  const voice = jsonVoice(pino({ level: "silent" }), (line) => lines.push(line));
  voice.line(node, '{"level":30,"msg":"serving"}');
  voice.line(node, "a stack trace");
  expect(JSON.parse(lines[0] ?? "")).toEqual({ node: 2, level: 30, msg: "serving" });
  expect(lines[1]).toBe("node 2: a stack trace");
});

test("a person reads what a log line says, with the reason of a failure", () => {
  const lines: string[] = [];
  const voice = plainVoice((line) => lines.push(line));
  voice.line(node, '{"level":50,"msg":"cannot save","err":{"message":"disk full"}}');
  voice.line(node, '{"level":60,"msg":"disk full","err":{"message":"disk full"}}');
  voice.line(node, "{broken");
  voice.allServe([{ node, pid: 7 }]);
  expect(lines.slice(0, 3)).toEqual([
    "Node 2: cannot save: disk full",
    "Node 2: disk full",
    "Node 2: {broken",
  ]);
  expect(lines).toContain("Bootstrap servers: h:9093");
});
