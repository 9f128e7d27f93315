import { Bench } from "tinybench";
import { crc32c } from "#protocol/bytes/crc32c.ts";
import type { Entry } from "#raft/core/entry.ts";
import { decodeNodeFrame, encodeNodeFrame } from "#raft/transport/codec.ts";
import type { EncodedFrame } from "#raft/transport/frame.ts";
import { FrameEncoder } from "#raft/transport/frame-encoder.ts";
import { FrameReader } from "#raft/transport/frame-reader.ts";
import type { GroupMessage, NodeFrame } from "#raft/transport/node-frame.ts";
import { startTcpTransport, type TcpTransport } from "#raft/transport/tcp-transport.ts";
import type { TransportEvents } from "#raft/transport/transport.ts";
import { systemClock } from "#src/runtime/clock.ts";
import { peerNetwork } from "#src/runtime/peer-network.ts";

const replicas = { from: 1, to: 2 };
const ends = { from: 1, to: 2, term: 7 };
const messagesPerFrame = 256;
const loopbackMs = 1_500;

/** Frames as the hosts of busy and of idle groups make them. */
const frames: Readonly<Record<string, NodeFrame>> = {
  "256 appends of 100 B": appends(messagesPerFrame, 100),
  "256 appends of 1 KiB": appends(messagesPerFrame, 1 << 10),
  "16 appends of 64 KiB": appends(16, 64 << 10),
  "256 append answers": pass(
    groups(messagesPerFrame, { kind: "appendAccepted", ...ends, matchIndex: 1_000_000 }),
  ),
  "heartbeats of 1,000 groups, all told": heartbeats(1_000),
  "heartbeats of 1,000 groups, none changed": heartbeats(0),
  "chunk of 1 MiB": {
    ...{ kind: "chunk", stream: 1, group: 5, sequence: 1, label: "segment", isLast: false },
    payload: Buffer.alloc(1 << 20, 3),
  },
};

/** Frames between nodes: encoded, decoded, and over the loopback. */
export async function run(): Promise<void> {
  const encoder = new FrameEncoder(crc32c);
  const bench = new Bench({ time: 300, warmupTime: 100 });
  const rows = Object.entries(frames).map(([name, frame]) => {
    const encoded = encodeNodeFrame(frame, replicas, encoder);
    const bytes = Buffer.concat(encoded.pieces);
    bench.add(`encode ${name}`, () => void encodeNodeFrame(frame, replicas, encoder));
    bench.add(`decode ${name}`, () => void decode(bytes));
    return { name, encoded };
  });
  await bench.run();
  console.table(
    rows.map(({ name, encoded }) => ({
      frame: name,
      bytes: encoded.sizeBytes,
      ...figures("encode", name, { bench, encoded }),
      ...figures("decode", name, { bench, encoded }),
    })),
  );

  const loopback = [];
  for (const [name, frame] of Object.entries(frames))
    loopback.push({ frame: name, ...(await overLoopback(frame)) });
  console.log("over the loopback, both ends in this process");
  console.table(loopback);
}

function decode(bytes: Buffer): void {
  const limits = { bodyBytesMax: bytes.length, envelopeBytesMax: bytes.length };
  new FrameReader({ limits, checksum: crc32c, onFrame: decodeNodeFrame }).push(bytes);
}

function figures(
  direction: "encode" | "decode",
  name: string,
  { bench, encoded }: { bench: Bench; encoded: EncodedFrame },
): Record<string, number> {
  const result = bench.getTask(`${direction} ${name}`)?.result;
  if (result?.state !== "completed") throw new Error(`Cannot measure "${name}": ${result?.state}`);
  const perSecond = result.throughput.mean;
  return {
    [`${direction}/s`]: Math.round(perSecond),
    [`${direction} MB/s`]: Math.round((perSecond * encoded.sizeBytes) / 1e6),
  };
}

/** Sends a frame again and again, as much as the outbox takes. */
async function overLoopback(frame: NodeFrame): Promise<{ "frames/s": number; "MB/s": number }> {
  const up = Promise.withResolvers<void>();
  let received = 0;
  await using receiver = await transport(2, { frame: () => (received += 1) });
  await using sender = await transport(1, { up: () => up.resolve(), drained: () => fill() });
  for (const one of [receiver, sender]) one.setPeers([address(1, sender), address(2, receiver)]);
  await up.promise;
  function fill(): void {
    while (sender.send(2, frame));
  }
  const startedMs = performance.now();
  fill();
  await new Promise((resolve) => setTimeout(resolve, loopbackMs));
  const seconds = (performance.now() - startedMs) / 1_000;
  const bytesPerSecond = receiver.counters.bytesReceived / seconds;
  return { "frames/s": Math.round(received / seconds), "MB/s": Math.round(bytesPerSecond / 1e6) };
}

async function transport(nodeId: number, events: Partial<TransportEvents>): Promise<TcpTransport> {
  const nothing = () => undefined;
  return await startTcpTransport({
    ...{ network: peerNetwork(), clock: systemClock, random: () => 0, checksum: crc32c },
    listen: { host: "127.0.0.1", port: 0 },
    identity: () => ({ nodeId, incarnation: 0, clusterId: "bench" }),
    events: {
      ...{ frame: nothing, up: nothing, down: nothing, reset: nothing },
      ...{ drained: nothing, refused: nothing, unreachable: nothing },
      ...events,
    },
    bounds: { outboxBytesMax: 8 << 20, chunkOutboxBytesMax: 8 << 20 },
  });
}

function address(nodeId: number, { port }: TcpTransport) {
  return { nodeId, host: "127.0.0.1", port, incarnation: 0 };
}

function appends(count: number, payloadBytes: number): NodeFrame {
  const payload = Buffer.alloc(payloadBytes, 7);
  const entry: Entry = {
    index: 1_000_001,
    term: 7,
    kind: "data",
    baseOffset: 5_000_000,
    offsetCount: 10,
    payload,
  };
  const append = { previousIndex: 1_000_000, previousTerm: 7, commitIndex: 1_000_000, entries: [entry] };
  return pass(groups(count, { kind: "append", ...ends, ...append }));
}

function groups(count: number, message: GroupMessage["message"]): GroupMessage[] {
  return Array.from({ length: count }, (_, group) => ({ group, message }));
}

function pass(messages: readonly GroupMessage[]): NodeFrame {
  return { kind: "pass", messages };
}

function heartbeats(changedCount: number): NodeFrame {
  const entry = { term: 7, commitIndex: 1_000_000, readContext: 0 };
  const changed = Array.from({ length: changedCount }, (_, group) => ({ group, ...entry }));
  return {
    kind: "pass",
    messages: [],
    heartbeats: { round: 9, version: 4, baseVersion: 3, changed, removed: [] },
  };
}

if (import.meta.main) await run();
