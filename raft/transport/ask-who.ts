import type { RaftClock } from "../clock.ts";
import { type Checksum, transportVersion } from "./frame.ts";
import { FrameConnection } from "./frame-connection.ts";
import { FrameEncoder } from "./frame-encoder.ts";
import { decodeAnswer, encodeHello } from "./handshake.ts";
import { strangerLimits } from "./link-context.ts";
import type { PeerNetwork, PeerSocket } from "./network.ts";
import type { NodeIdentity } from "./transport.ts";

export interface AskWhoOptions {
  readonly network: PeerNetwork;
  readonly clock: RaftClock;
  readonly checksum: Checksum;
  /** Who asks. */
  readonly own: NodeIdentity;
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
}

/**
 * Asks who listens at an address, as a node does that knows its peers' addresses and not their ids. Rejects, with
 * the reason, where nobody answers or the node is refused. The peer's other connections are not touched.
 */
export async function askWho(options: AskWhoOptions): Promise<NodeIdentity> {
  const { network, clock, host, port, timeoutMs } = options;
  const abort = new AbortController();
  const cancel = clock.schedule(timeoutMs, () => abort.abort(new Error(`no answer in ${timeoutMs} ms`)));
  try {
    const { signal } = abort;
    const socket = await network.dial({ host, port, signal });
    return await greet(socket, options, signal);
  } finally {
    cancel();
  }
}

async function greet(
  socket: PeerSocket,
  { checksum, own, host, port }: AskWhoOptions,
  signal: AbortSignal,
): Promise<NodeIdentity> {
  const answer = Promise.withResolvers<NodeIdentity>();
  const fail = (why: string, cause?: unknown) => {
    answer.reject(new Error(`Cannot ask who is at ${host}:${port}: ${why}`, { cause }));
  };
  const connection = new FrameConnection({
    ...{ socket, checksum, limits: strangerLimits },
    onFrame: (frame) => {
      const said = decodeAnswer(frame);
      if ("code" in said) fail(said.message);
      else answer.resolve(said.from);
    },
    onEnd: ({ error }) => fail(error?.message ?? "it closed the connection", error),
  });
  signal.addEventListener("abort", () => fail((signal.reason as Error).message), { once: true });
  const versions = { versionMin: transportVersion, versionMax: transportVersion };
  connection.send(encodeHello({ ...versions, from: own, toNodeId: undefined }, new FrameEncoder(checksum)));
  try {
    return await answer.promise;
  } finally {
    connection.destroy();
  }
}
