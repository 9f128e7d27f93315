import { sorted } from "../core/configuration.ts";
import type { Entry, EntryKind } from "../core/entry.ts";
import type { Append, Message, MessageKind, SnapshotPoint } from "../core/messages.ts";
import type { ReplicaId } from "../core/replica-id.ts";
import type { GroupMessage } from "./node-frame.ts";

/** Between whom most messages of a frame go. */
export interface FrameReplicas {
  readonly from: ReplicaId;
  readonly to: ReplicaId;
}

/** A message as the schema has it: what all have, and the rest under the name of its kind. */
export type WireMessage = {
  readonly group: number;
  readonly term: number;
  readonly from?: number | null;
  readonly to?: number | null;
  readonly kind: number;
} & { readonly [K in MessageKind]?: WireBody<K> | null };

/** What only messages of the kind `K` have; the decoder fills in zeros, nothing is absent. */
type WireBody<K extends MessageKind> = K extends "append"
  ? WireAppend
  : Omit<Extract<Message, { kind: K }>, "kind" | "from" | "to" | "term">;

interface WireAppend {
  readonly previousIndex: number;
  readonly previousTerm: number;
  readonly commitIndex: number;
  readonly entries: readonly WireEntry[];
}

interface WireEntry {
  readonly term: number;
  readonly kind: number;
  readonly baseOffset: number;
  readonly offsetCount: number;
  readonly payloadBytes: number;
}

/** The number of the field that has the body. */
const kindNumbers: Readonly<Record<MessageKind, number>> = {
  append: 6,
  appendAccepted: 7,
  appendRejected: 8,
  heartbeat: 9,
  heartbeatAnswer: 10,
  vote: 11,
  voteAnswer: 12,
  timeoutNow: 13,
  readIndex: 14,
  readIndexAnswer: 15,
  snapshot: 16,
  snapshotRefused: 17,
};

const kinds: readonly (MessageKind | undefined)[] = invert(kindNumbers);

const entryKindNumbers: Readonly<Record<EntryKind, number>> = {
  data: 1,
  command: 2,
  noop: 3,
  configuration: 4,
};
const entryKinds: readonly (EntryKind | undefined)[] = [
  undefined,
  "data",
  "command",
  "noop",
  "configuration",
];

/** Shapes a message for the encoder; its payloads go behind the others. */
export function toWireMessage(
  { group, message }: GroupMessage,
  replicas: FrameReplicas,
  payloads: Uint8Array[],
): WireMessage {
  const { kind, from, to, term } = message;
  const body = kind === "append" ? toWireAppend(message, payloads) : message;
  return {
    group,
    kind: kindNumbers[kind],
    term,
    from: from === replicas.from ? null : from,
    to: to === replicas.to ? null : to,
    [kind]: body,
  };
}

function toWireAppend(message: Append, payloads: Uint8Array[]): WireAppend {
  const entries: WireEntry[] = [];
  for (const { term, kind, baseOffset, offsetCount, payload } of message.entries) {
    payloads.push(payload);
    entries.push({
      term,
      kind: entryKindNumbers[kind],
      baseOffset,
      offsetCount,
      payloadBytes: payload.length,
    });
  }
  const { previousIndex, previousTerm, commitIndex } = message;
  return { previousIndex, previousTerm, commitIndex, entries };
}

/** Reads a decoded message; `takePayload` gives the next bytes of the tail. @throws RangeError */
export function fromWireMessage(
  wire: WireMessage,
  replicas: FrameReplicas,
  takePayload: (sizeBytes: number) => Uint8Array,
): GroupMessage {
  const ends = { from: wire.from ?? replicas.from, to: wire.to ?? replicas.to, term: wire.term };
  return { group: wire.group, message: readBody(wire, ends, takePayload) };
}

function readBody(
  wire: WireMessage,
  ends: Pick<Message, "from" | "to" | "term">,
  takePayload: (sizeBytes: number) => Uint8Array,
): Message {
  const kind = kinds[wire.kind];
  switch (kind) {
    // The two that come by the thousand are spelled out: spreading costs more than all the rest of them.
    case "append":
      return readAppend(bodyOf(wire, kind), ends, takePayload);
    case "appendAccepted": {
      const { from, to, term } = ends;
      return { kind, from, to, term, matchIndex: bodyOf(wire, kind).matchIndex };
    }
    case "appendRejected": {
      const { rejectedIndex, hintIndex, hintTerm } = bodyOf(wire, kind);
      return { kind, ...ends, rejectedIndex, hintIndex, hintTerm };
    }
    case "heartbeat": {
      const { commitIndex, readContext } = bodyOf(wire, kind);
      return { kind, ...ends, commitIndex, readContext };
    }
    case "heartbeatAnswer":
      return { kind, ...ends, readContext: bodyOf(wire, kind).readContext };
    case "vote": {
      const { preVote, isTransfer, lastIndex, lastTerm } = bodyOf(wire, kind);
      return { kind, ...ends, preVote, isTransfer, lastIndex, lastTerm };
    }
    case "voteAnswer": {
      const { preVote, isGranted, commitIndex, commitTerm } = bodyOf(wire, kind);
      return { kind, ...ends, preVote, isGranted, commitIndex, commitTerm };
    }
    case "timeoutNow":
      return { kind, ...ends };
    case "readIndex":
      return { kind, ...ends, context: bodyOf(wire, kind).context };
    case "readIndexAnswer": {
      const { context, index } = bodyOf(wire, kind);
      return { kind, ...ends, context, index };
    }
    case "snapshot":
      return { kind, ...ends, point: readPoint(bodyOf(wire, kind).point) };
    case "snapshotRefused":
      return { kind, ...ends, index: bodyOf(wire, kind).index };
    case undefined:
      // One of a newer release: the versions of the protocol keep them from here.
      throw new RangeError(`Cannot read a message of kind ${wire.kind}: it is unknown`);
    default:
      return kind satisfies never;
  }
}

function bodyOf<K extends MessageKind>(wire: WireMessage, kind: K): WireBody<K> {
  const body = wire[kind];
  if (!body) throw new RangeError(`Cannot read a message of the kind "${kind}": it is empty`);
  return body as WireBody<K>;
}

function readAppend(
  wire: WireAppend,
  ends: Pick<Message, "from" | "to" | "term">,
  takePayload: (sizeBytes: number) => Uint8Array,
): Append {
  const { previousIndex, previousTerm, commitIndex } = wire;
  const entries: Entry[] = [];
  let index = previousIndex;
  for (const { term, kind, baseOffset, offsetCount, payloadBytes } of wire.entries) {
    const entryKind = entryKinds[kind];
    if (!entryKind) throw new RangeError(`Cannot read an entry of kind ${kind}: it is unknown`);
    index += 1;
    entries.push({
      index,
      term,
      kind: entryKind,
      baseOffset,
      offsetCount,
      payload: takePayload(payloadBytes),
    });
  }
  if (!Number.isSafeInteger(index)) throw new RangeError("Cannot read entries: their indexes are too large");
  const { from, to, term } = ends;
  return { kind: "append", from, to, term, previousIndex, previousTerm, commitIndex, entries };
}

/** A snapshot's point out of what a peer sent: the core relies on the lists being sorted and without duplicates. */
function readPoint(wire: SnapshotPoint | null): SnapshotPoint {
  const configuration = wire?.configuration;
  if (!wire || !configuration) throw new RangeError("Cannot read a snapshot: its point is incomplete");
  const { index, term, nextOffset } = wire;
  const { voters, outgoing, learners, learnersNext, autoLeave } = configuration;
  return {
    ...{ index, term, nextOffset },
    configuration: {
      voters: sorted(voters),
      outgoing: sorted(outgoing),
      learners: sorted(learners),
      learnersNext: sorted(learnersNext),
      autoLeave,
    },
  };
}

/** The names by their numbers. */
function invert<Name extends string>(numbers: Readonly<Record<Name, number>>): (Name | undefined)[] {
  const names: (Name | undefined)[] = [];
  for (const [name, number] of Object.entries<number>(numbers)) names[number] = name as Name;
  return names;
}
