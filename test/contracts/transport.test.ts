import { describe } from "vitest";
import { crc32c } from "#protocol/bytes/crc32c.ts";
import { MemoryHub, type MemoryTransport } from "#raft/transport/memory-transport.ts";
import type { PeerNetwork, PeerSocket } from "#raft/transport/network.ts";
import { startTcpTransport, type TcpTransport } from "#raft/transport/tcp-transport.ts";
import type { Transport } from "#raft/transport/transport.ts";
import { systemClock } from "#src/runtime/clock.ts";
import { peerNetwork } from "#src/runtime/peer-network.ts";
import { FakeClock } from "../unit/src/runtime/fake-clock.ts";
import { makeCertificates } from "./certificates.ts";
import { type TransportWorld, transportContract } from "./transport.ts";

transportContract("the transport in memory", async () => memoryWorld());
transportContract("the transport over TCP", async () => streamWorld(peerNetwork()));

const certificates = makeCertificates();
describe.skipIf(!certificates)("with openssl to make certificates", () => {
  transportContract("the transport over TLS", async () => streamWorld(peerNetwork(certificates)));
});

function memoryWorld(): TransportWorld {
  const clock = new FakeClock();
  const hub = new MemoryHub({ clock, checksum: crc32c });
  let count = 0;
  return {
    start: async ({ identity, events, outboxBytesMax }) => {
      count += 1;
      const listen = { host: "memory", port: count };
      return {
        transport: hub.start({ listen, identity: () => identity, events, outboxBytesMax }),
        ...listen,
      };
    },
    crash: async (transport) => hub.crash(transport as MemoryTransport),
    breakConnections: (transport) => {
      const { nodeId } = transport as MemoryTransport;
      for (const other of [1, 2, 3]) if (other !== nodeId) hub.reset(nodeId, other);
    },
    until: async (condition) => {
      for (let step = 0; step < 1_000 && !condition(); step++) await clock.advance(1);
      if (!condition())
        throw new Error("Cannot wait any longer: it did not happen in 1,000 ms of the test's clock");
    },
    settle: () => clock.advance(500),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** Transports over a network of streams, each with a view of it that can be broken. */
function streamWorld(network: PeerNetwork): TransportWorld {
  const sockets = new Map<Transport, Set<PeerSocket>>();
  const started: TcpTransport[] = [];
  const breakConnections = (transport: Transport) => {
    for (const socket of sockets.get(transport) ?? []) socket.destroy();
    sockets.get(transport)?.clear();
  };
  return {
    start: async ({ identity, events, outboxBytesMax }) => {
      const own = new Set<PeerSocket>();
      const transport = await startTcpTransport({
        network: recorded(network, own),
        clock: systemClock,
        random: () => 0.5,
        checksum: crc32c,
        listen: { host: "127.0.0.1", port: 0 },
        identity: () => identity,
        events,
        bounds: { outboxBytesMax, backoff: { firstMs: 10, maxMs: 50 }, refusedRetryMs: 20, lingerMs: 100 },
      });
      sockets.set(transport, own);
      started.push(transport);
      return { transport, host: "127.0.0.1", port: transport.port };
    },
    crash: async (transport) => {
      // Without its sockets it can say no goodbye.
      breakConnections(transport);
      await transport.close();
    },
    breakConnections,
    until: async (condition) => {
      for (let turn = 0; turn < 2_000 && !condition(); turn++) await pauseMs(5);
      if (!condition()) throw new Error("Cannot wait any longer: it did not happen in 10 s");
    },
    settle: () => pauseMs(150),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(started.map((transport) => transport.close()));
    },
  };
}

function recorded(network: PeerNetwork, sockets: Set<PeerSocket>): PeerNetwork {
  return {
    listen: (options, accept) =>
      network.listen(options, (socket) => {
        sockets.add(socket);
        accept(socket);
      }),
    dial: async (options) => {
      const socket = await network.dial(options);
      sockets.add(socket);
      return socket;
    },
  };
}

function pauseMs(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
