import { connect as connectTcp, type Socket as NodeSocket } from "node:net";
import type { TLSSocket } from "node:tls";
import type {
  DialOptions,
  PeerListener,
  PeerListenOptions,
  PeerNetwork,
  PeerSocket,
} from "#raft/transport/network.ts";
import { listenWith, tcpNetwork } from "./tcp-network.ts";
import { TcpSocket } from "./tcp-socket.ts";

/** Mutual TLS between nodes: each side shows a certificate of the one authority, in PEM. */
export interface PeerTls {
  readonly key: string | Buffer;
  readonly certificate: string | Buffer;
  readonly authority: string | Buffer;
  /** Whether the certificate of a node that is dialled must name the host that it is dialled as; by default it must. */
  readonly verifiesHost?: boolean;
}

/** A TLS handshake that takes longer is given up. */
const handshakeTimeoutMs = 3_000;

/** Connections in a handshake at once; the oldest goes for a new one. */
const handshakesMax = 64;

/** The machine's TCP between nodes, with mutual TLS or in the clear; who does without TLS is spared its 3 MB. */
export function peerNetwork(tls?: PeerTls): PeerNetwork {
  if (!tls) return { listen: (options, accept) => tcpNetwork.listen(options, accept), dial: dialPlain };
  return {
    listen: (options, accept) => listenSecure(tls, options, accept),
    dial: (options) => dialSecure(tls, options),
  };
}

function dialPlain(options: DialOptions): Promise<PeerSocket> {
  const { host, port } = options;
  return dialed(options, "connect", () => connectTcp({ host, port, noDelay: true, keepAlive: true }));
}

async function dialSecure(
  { key, certificate, authority, verifiesHost = true }: PeerTls,
  options: DialOptions,
): Promise<PeerSocket> {
  const { connect: connectTls } = await import("node:tls");
  const { host, port } = options;
  return await dialed(options, "secureConnect", () =>
    connectTls({
      ...{ host, port, key, cert: certificate, ca: authority },
      // The socket of a TLS connection takes these from its own.
      ...{ noDelay: true, keepAlive: true, minVersion: "TLSv1.2" },
      ...(!verifiesHost && { checkServerIdentity: () => undefined }),
    }),
  );
}

/** A socket once it is connected; an aborted attempt leaves nothing behind. */
function dialed(
  { host, port, signal }: DialOptions,
  connected: "connect" | "secureConnect",
  connect: () => NodeSocket,
): Promise<PeerSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect();
    const fail = (cause: unknown) => {
      socket.destroy();
      const reason = cause instanceof Error ? cause.message : String(cause);
      reject(new Error(`Cannot connect to ${host}:${port}: ${reason}`, { cause }));
    };
    const abort = () => fail(signal.reason);
    const onClose = () => fail(new Error("the connection was closed"));
    signal.addEventListener("abort", abort, { once: true });
    socket.on("error", fail);
    socket.on("close", onClose);
    socket.once(connected, () => {
      signal.removeEventListener("abort", abort);
      socket.removeListener("close", onClose);
      resolve(new TcpSocket((onBytes) => socket.pause().on("data", onBytes).pause()));
      socket.removeListener("error", fail);
    });
    if (signal.aborted) abort();
  });
}

async function listenSecure(
  { key, certificate, authority }: PeerTls,
  { host, port, onFailure }: PeerListenOptions,
  accept: (socket: PeerSocket) => void,
): Promise<PeerListener> {
  const { createServer } = await import("node:tls");
  const handshakes = new Handshakes();
  const listener = await listenWith({ host, port }, () => {
    const server = createServer({
      ...{ key, cert: certificate, ca: authority, requestCert: true, rejectUnauthorized: true },
      ...{ noDelay: true, keepAlive: true, minVersion: "TLSv1.2", handshakeTimeout: handshakeTimeoutMs },
    });
    server.on("connection", (socket: NodeSocket) => handshakes.begin(socket));
    server.on("secureConnection", (socket: TLSSocket) => {
      handshakes.end(socket);
      accept(new TcpSocket((onBytes) => socket.pause().on("data", onBytes).pause()));
    });
    server.on("tlsClientError", (error, socket) => {
      onFailure?.({ remoteAddress: addressOf(socket), error });
      socket.destroy();
    });
    return server;
  });
  return {
    port: listener.port,
    close: async () => {
      const closed = listener.close();
      handshakes.destroyAll();
      await closed;
    },
  };
}

/** Connections whose TLS handshake is under way: bounded, and gone when the listener is. */
class Handshakes {
  readonly #sockets = new Map<string, NodeSocket>();

  begin(socket: NodeSocket): void {
    const [oldest] = this.#sockets.values();
    if (oldest && this.#sockets.size >= handshakesMax) oldest.destroy();
    const name = nameOf(socket);
    this.#sockets.set(name, socket);
    socket.once("close", () => {
      if (this.#sockets.get(name) === socket) this.#sockets.delete(name);
    });
  }

  /** The TLS socket of a connection has come out of the handshake. */
  end(socket: TLSSocket): void {
    this.#sockets.delete(nameOf(socket));
  }

  destroyAll(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }
}

/** What Node calls the connection below a TLS socket: it still knows its address when it is gone. */
interface ConnectionOwner {
  _parent?: NodeSocket | null;
}

function addressOf(socket: TLSSocket): string {
  const below = (socket as ConnectionOwner)._parent;
  return socket.remoteAddress ?? below?.remoteAddress ?? "unknown";
}

/** A TLS socket is another object than the one below it, but the other end is the same. */
function nameOf(socket: NodeSocket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
