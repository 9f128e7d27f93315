import { incarnationsMax } from "../core/replica-id.ts";
import { type EncodedFrame, FrameError, type ReceivedFrame, transportVersion } from "./frame.ts";
import type { FrameEncoder } from "./frame-encoder.ts";
import { type RefusalCode, type RefusalReason, refusalCodes } from "./refusal.ts";
import { SafeReader } from "./safe-reader.ts";
import { envelopes } from "./schema.ts";
import type { NodeIdentity, PeerAddress } from "./transport.ts";

/** The first frame of who dials. */
export interface Hello {
  readonly versionMin: number;
  readonly versionMax: number;
  readonly from: NodeIdentity;
  /** Whom it wants to talk to; undefined: it only asks who is there. */
  readonly toNodeId: number | undefined;
}

/** The first frame of who was dialled: it will listen. */
export interface Welcome {
  /** The version that the connection has from here on. */
  readonly version: number;
  readonly from: NodeIdentity;
}

/** What `Admit` is told beside who it is about. */
export interface AdmitContext {
  /** Whether the node is the one that is expected: of this cluster, and with the disk that is known. */
  readonly isExpected: boolean;
  /** Whether the node only asks who is there; nothing else comes of it. */
  readonly isQuestion: boolean;
}

/** Judges a node that no rule keeps out by itself; answers why it is kept out, or undefined. */
export type Admit = (
  stranger: NodeIdentity,
  expected: PeerAddress | undefined,
  context: AdmitContext,
) => string | undefined;

/** Kafka's node ids are below this. */
const nodeIdsMax = 2 ** 31;

/** What a node may tell of itself beside who it is. */
const cardBytesMax = 2 << 10;

/** Texts of a peer are no longer than this in messages. */
const textLengthMax = 200;

export function encodeHello(hello: Hello, encoder: FrameEncoder): EncodedFrame {
  return encoder.encode({ kind: "hello", envelope: { type: envelopes.hello, fields: hello } });
}

export function encodeWelcome(welcome: Welcome, encoder: FrameEncoder): EncodedFrame {
  return encoder.encode({ kind: "welcome", envelope: { type: envelopes.welcome, fields: welcome } });
}

export function encodeRefusal({ code, message }: RefusalReason, encoder: FrameEncoder): EncodedFrame {
  return encoder.encode({
    kind: "refusal",
    envelope: { type: envelopes.refusal, fields: { code, reason: message } },
  });
}

/** @throws FrameError */
export function decodeHello(frame: ReceivedFrame): Hello {
  const wire = decode("hello", frame) as Omit<Hello, "toNodeId"> & { readonly toNodeId: number | null };
  const { versionMin, versionMax, from, toNodeId } = wire;
  return { versionMin, versionMax, from: identityOf(from), toNodeId: toNodeId ?? undefined };
}

/** The dialled node's first frame. @throws FrameError */
export function decodeAnswer(frame: ReceivedFrame): Welcome | RefusalReason {
  if (frame.kind === "refusal") {
    const { code, reason } = decode("refusal", frame) as { code: string; reason: string };
    const known = refusalCodes.find((candidate) => candidate === code) satisfies RefusalCode | undefined;
    return { code: known ?? "unknownNode", message: printable(reason) };
  }
  const { version, from } = decode("welcome", frame) as Welcome;
  return { version, from: identityOf(from) };
}

/** Whom this node is to talk to, as far as it knows. */
export interface Expectation {
  readonly own: NodeIdentity;
  /** The peer of the claimed node id. */
  readonly peer: PeerAddress | undefined;
  readonly admit: Admit;
  readonly isQuestion?: boolean;
}

/** Judges a hello; undefined: welcome. */
export function judgeHello(hello: Hello, expectation: Expectation): RefusalReason | undefined {
  const { own } = expectation;
  const { from, toNodeId, versionMin, versionMax } = hello;
  if (versionMin > transportVersion || versionMax < transportVersion) {
    const message = `it speaks versions ${versionMin} to ${versionMax} of the protocol between nodes, this one ${transportVersion}`;
    return refuse(from, "version", message);
  }
  // Who asks all addresses of a list who is there finds itself at one of them.
  if (toNodeId === undefined && isSameProcess(from, own)) return undefined;
  const refusal = judgeIdentity(from, { ...expectation, isQuestion: toNodeId === undefined });
  if (refusal) return refusal;
  if (toNodeId !== undefined && toNodeId !== own.nodeId) {
    return refuse(from, "wrongNode", `it looks for node ${toNodeId}, and this is node ${own.nodeId}`);
  }
  return undefined;
}

/** Judges the answer of the node that was dialled as `peer`; undefined: it is the one. */
export function judgeWelcome(
  { version, from }: Welcome,
  expectation: Expectation & { readonly peer: PeerAddress },
): RefusalReason | undefined {
  if (version !== transportVersion) {
    return refuse(
      from,
      "version",
      `it chose version ${version} of the protocol, known is ${transportVersion}`,
    );
  }
  const { own, peer } = expectation;
  if (from.nodeId !== peer.nodeId) {
    const address = `${peer.host}:${peer.port}`;
    return refuse(from, "wrongNode", `node ${peer.nodeId} is expected at ${address}`);
  }
  // A node id of one's own in the list of peers is a wrong list.
  return from.nodeId === own.nodeId
    ? refuse(from, "reusedNodeId", "that is this node's own id")
    : judgeIdentity(from, expectation);
}

/** Judges who somebody is; undefined: nothing speaks against it. */
export function judgeIdentity(
  from: NodeIdentity,
  { own, peer, admit, isQuestion = false }: Expectation,
): RefusalReason | undefined {
  if (own.clusterId !== "" && from.clusterId !== "" && own.clusterId !== from.clusterId) {
    const clusters = `it belongs to cluster "${from.clusterId}", this one to "${own.clusterId}"`;
    return refuse(from, "foreignCluster", clusters);
  }
  if (from.nodeId === own.nodeId) {
    return refuse(from, "reusedNodeId", "another node has this id: give each node its own node.id");
  }
  const hasItsDisk = peer && (peer.incarnation === undefined || peer.incarnation === from.incarnation);
  const isExpected = hasItsDisk === true && from.clusterId === own.clusterId;
  const reason = admit(from, peer, { isExpected, isQuestion });
  if (reason === undefined) return undefined;
  return refuse(from, peer ? "incarnation" : "unknownNode", reason);
}

/** Whether two identities are of one and the same run of a process. */
export function isSameProcess(a: NodeIdentity, b: NodeIdentity): boolean {
  return a.nodeId === b.nodeId && a.processId !== undefined && a.processId === b.processId;
}

/** Lets nobody in but expected nodes, and those that are not in a cluster yet while this one is not either. */
export const admitNobody: Admit = (stranger, expected, { isExpected }) => {
  if (isExpected) return undefined;
  if (!expected) return "it is not among the nodes of the cluster";
  if (expected.incarnation === undefined || expected.incarnation === stranger.incarnation) {
    return "only one of the two has joined the cluster";
  }
  return `its disk has incarnation ${stranger.incarnation}, expected is ${expected.incarnation}: a wiped or older disk must be replaced by name`;
};

function refuse({ nodeId }: NodeIdentity, code: RefusalCode, why: string): RefusalReason {
  return { code, message: `Cannot talk to node ${nodeId}: ${why}` };
}

function decode(kind: "hello" | "welcome" | "refusal", frame: ReceivedFrame): object {
  if (frame.kind !== kind) {
    throw new FrameError("unexpected", `Cannot take a frame of kind "${frame.kind}": expected was "${kind}"`);
  }
  try {
    return envelopes[kind].decode(new SafeReader(frame.envelope));
  } catch (error) {
    throw new FrameError("envelope", `Cannot read a frame of kind "${kind}": its envelope is broken`, {
      cause: error,
    });
  }
}

function identityOf(wire: NodeIdentity | null): NodeIdentity {
  if (!wire) throw new FrameError("envelope", "Cannot tell who speaks: the frame names no node");
  const { nodeId, incarnation } = wire;
  if (nodeId >= nodeIdsMax || incarnation >= incarnationsMax) {
    throw new FrameError(
      "envelope",
      `Cannot take node ${nodeId} with incarnation ${incarnation}: out of range`,
    );
  }
  const { processId = "", card } = wire;
  if (card && card.length > cardBytesMax) {
    throw new FrameError("envelope", `Cannot take what node ${nodeId} tells of itself: ${card.length} bytes`);
  }
  return {
    ...{ clusterId: printable(wire.clusterId), nodeId, incarnation },
    ...(processId !== "" && { processId: printable(processId) }),
    // The frame's buffer is not kept for as long as the connection.
    ...(card && card.length > 0 && { card: new Uint8Array(card) }),
  };
}

/** Texts of others go to the log: no control characters, no novels. */
function printable(text: string): string {
  return text.slice(0, textLengthMax).replace(/[^\x20-\x7e]/g, "?");
}
