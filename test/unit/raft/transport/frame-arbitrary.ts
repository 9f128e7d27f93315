import fc from "fast-check";
import type { Entry } from "#raft/core/entry.ts";
import type { Message } from "#raft/core/messages.ts";
import type { HeartbeatSet, HeartbeatSetAnswer } from "#raft/transport/heartbeat-set.ts";
import type { ChunkFrame, NodeFrame, PassFrame } from "#raft/transport/node-frame.ts";

/** Small ones, those around the widths of varints, and the largest. */
const unsigned = fc.oneof(fc.nat(300), fc.constantFrom(2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1), fc.maxSafeNat());
/** Indexes leave room for the entries behind them. */
const index = unsigned.map((value) => Math.min(value, Number.MAX_SAFE_INTEGER - 1_000));
const uint32 = fc.oneof(fc.nat(300), fc.constantFrom(2 ** 31, 2 ** 32 - 1));
const payload = fc
  .tuple(
    fc.oneof({ weight: 9, arbitrary: fc.nat(100) }, { weight: 1, arbitrary: fc.nat(9_000) }),
    fc.nat(255),
  )
  .map(([length, seed]) => Buffer.alloc(length).map((_, at) => seed + at));

/** Frames in the name of replica 1 to replica 2, but for some that name others of the same nodes. */
const ends = {
  from: fc.constantFrom(1, 1, 1, 2 ** 31 + 1),
  to: fc.constantFrom(2, 2, 2, 3 * 2 ** 31 + 2),
  term: unsigned,
};

const entriesAfter = (previousIndex: number): fc.Arbitrary<Entry[]> =>
  fc
    .array(
      fc.record({
        term: unsigned,
        kind: fc.constantFrom("data", "command", "noop", "configuration"),
        baseOffset: unsigned,
        offsetCount: uint32,
        payload,
      }),
      { maxLength: 5 },
    )
    .map((entries) => entries.map((entry, at) => ({ index: previousIndex + 1 + at, ...entry })));

const replicas = fc.uniqueArray(unsigned, { maxLength: 4 }).map((ids) => ids.sort((a, b) => a - b));

const configuration = fc.record({
  voters: replicas,
  outgoing: replicas,
  learners: replicas,
  learnersNext: replicas,
  autoLeave: fc.boolean(),
});

const messages: { readonly [K in Message["kind"]]: fc.Arbitrary<Extract<Message, { kind: K }>> } = {
  append: index.chain((previousIndex) =>
    fc.record({
      kind: fc.constant("append"),
      ...ends,
      previousIndex: fc.constant(previousIndex),
      previousTerm: unsigned,
      commitIndex: unsigned,
      entries: entriesAfter(previousIndex),
    }),
  ),
  appendAccepted: fc.record({ kind: fc.constant("appendAccepted"), ...ends, matchIndex: unsigned }),
  appendRejected: fc.record({
    kind: fc.constant("appendRejected"),
    ...ends,
    rejectedIndex: unsigned,
    hintIndex: unsigned,
    hintTerm: unsigned,
  }),
  heartbeat: fc.record({
    kind: fc.constant("heartbeat"),
    ...ends,
    commitIndex: unsigned,
    readContext: unsigned,
  }),
  heartbeatAnswer: fc.record({ kind: fc.constant("heartbeatAnswer"), ...ends, readContext: unsigned }),
  vote: fc.record({
    kind: fc.constant("vote"),
    ...ends,
    preVote: fc.boolean(),
    isTransfer: fc.boolean(),
    lastIndex: unsigned,
    lastTerm: unsigned,
  }),
  voteAnswer: fc.record({
    kind: fc.constant("voteAnswer"),
    ...ends,
    preVote: fc.boolean(),
    isGranted: fc.boolean(),
    commitIndex: unsigned,
    commitTerm: unsigned,
  }),
  timeoutNow: fc.record({ kind: fc.constant("timeoutNow"), ...ends }),
  readIndex: fc.record({ kind: fc.constant("readIndex"), ...ends, context: unsigned }),
  readIndexAnswer: fc.record({
    kind: fc.constant("readIndexAnswer"),
    ...ends,
    context: unsigned,
    index: unsigned,
  }),
  snapshot: fc.record({
    kind: fc.constant("snapshot"),
    ...ends,
    point: fc.record({ index: unsigned, term: unsigned, nextOffset: unsigned, configuration }),
  }),
  snapshotRefused: fc.record({ kind: fc.constant("snapshotRefused"), ...ends, index: unsigned }),
};

/** Any message of any kind. */
export const message: fc.Arbitrary<Message> = fc.oneof(...Object.values(messages));

const heartbeats: fc.Arbitrary<HeartbeatSet> = fc.record({
  round: unsigned,
  version: unsigned,
  baseVersion: unsigned,
  changed: fc.array(
    fc.record({ group: uint32, term: unsigned, commitIndex: unsigned, readContext: unsigned }),
    { maxLength: 8 },
  ),
  removed: fc.array(uint32, { maxLength: 4 }),
});

const heartbeatsAnswer: fc.Arbitrary<HeartbeatSetAnswer> = fc.record({
  round: unsigned,
  version: unsigned,
  exceptions: fc.array(fc.record({ group: uint32, term: unsigned, readContext: unsigned }), { maxLength: 4 }),
});

const pass: fc.Arbitrary<PassFrame> = fc.record(
  {
    kind: fc.constant("pass"),
    messages: fc.array(fc.record({ group: uint32, message }), { maxLength: 12 }),
    heartbeats,
    heartbeatsAnswer,
  },
  { requiredKeys: ["kind", "messages"] },
);

const chunk: fc.Arbitrary<ChunkFrame> = fc.record({
  kind: fc.constant("chunk"),
  stream: unsigned,
  group: uint32,
  sequence: unsigned,
  label: fc.string(),
  isLast: fc.boolean(),
  payload,
});

/** Any frame that a node may send. */
export const nodeFrame: fc.Arbitrary<NodeFrame> = fc.oneof({ weight: 4, arbitrary: pass }, chunk);
