import { describe, expect, test } from "vitest";
import type { ChunkFrame } from "#raft/transport/node-frame.ts";
import { NodeCalls } from "#src/cluster/network/node-calls.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (words: string): Uint8Array => new TextEncoder().encode(words);

/** Two nodes, 1 and 2, whose frames wait until they are delivered. */
class Pair {
  readonly errors: unknown[] = [];
  readonly timers: (() => void)[] = [];
  readonly frames: { from: number; to: number; frame: ChunkFrame }[] = [];
  isUp = true;
  readonly one = this.#node(1);
  readonly two = this.#node(2);

  async deliver(): Promise<void> {
    for (let sent = this.frames.shift(); sent; sent = this.frames.shift()) {
      (sent.to === 1 ? this.one : this.two).take(sent.from, sent.frame);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #node(nodeId: number): NodeCalls {
    return new NodeCalls({
      send: (to, frame) => {
        if (this.isUp) this.frames.push({ from: nodeId, to, frame });
        return this.isUp;
      },
      clock: {
        schedule: (_, callback) => {
          this.timers.push(callback);
          return () => undefined;
        },
      },
      onError: (error) => this.errors.push(error),
    });
  }
}

describe("a call", () => {
  test("comes back with the other node's answer", async () => {
    const pair = new Pair();
    pair.two.answer("greet", async (from, payload) => bytes(`${text(payload)} ${from}`));
    const outcome = pair.one.call(2, "greet", bytes("hello"), 1_000);
    await pair.deliver();
    const answered = await outcome;
    expect(answered.kind).toBe("answered");
    expect(answered.kind === "answered" && text(answered.payload)).toBe("hello 1");
  });

  test("that cannot be sent says so at once", async () => {
    const pair = new Pair();
    pair.isUp = false;
    await expect(pair.one.call(2, "greet", bytes(""), 1_000)).resolves.toEqual({ kind: "unsent" });
  });

  test("is lost with the connection, and so is one that nobody answers in time", async () => {
    const pair = new Pair();
    const first = pair.one.call(2, "greet", bytes(""), 1_000);
    const other = pair.one.call(3, "greet", bytes(""), 1_000);
    pair.one.lost(2);
    await expect(first).resolves.toEqual({ kind: "lost" });
    pair.timers[1]?.();
    await expect(other).resolves.toEqual({ kind: "lost" });
  });

  test("that the other node cannot do, or does not know, has failed", async () => {
    const pair = new Pair();
    pair.two.answer("greet", () => Promise.reject(new Error("no")));
    const refused = pair.one.call(2, "greet", bytes(""), 1_000);
    const unknown = pair.one.call(2, "dance", bytes(""), 1_000);
    await pair.deliver();
    await expect(refused).resolves.toEqual({ kind: "failed" });
    await expect(unknown).resolves.toEqual({ kind: "failed" });
    expect(pair.errors).toHaveLength(1);
  });

  test("takes no answer from another node than the one that was called", async () => {
    const pair = new Pair();
    const outcome = pair.one.call(2, "greet", bytes(""), 1_000);
    const stream = pair.frames[0]?.frame.stream ?? -1;
    const forged = { kind: "chunk", group: 0, sequence: 0, isLast: true, payload: bytes("!") } as const;
    pair.one.take(3, { ...forged, stream, label: "answer:greet" });
    pair.one.lost(2);
    await expect(outcome).resolves.toEqual({ kind: "lost" });
  });
});

test("chunks of others are left to them", () => {
  const frame = { kind: "chunk", group: 0, sequence: 0, isLast: true, stream: 1, label: "segment" } as const;
  expect(new Pair().one.take(2, { ...frame, payload: bytes("") })).toBe(false);
});
