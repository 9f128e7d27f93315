import type { Logger } from "pino";
import { type CancelTimer, type Clock, every, sleep } from "../runtime/clock.ts";
import type { Listener, Network, Socket } from "../runtime/network.ts";
import { Connection, type ConnectionEnd, type FrameHandler } from "./connection.ts";
import { type ConnectionCounts, noConnections } from "./connection-counts.ts";
import { FrameSlabs } from "./frame-slabs.ts";
import { LogThrottle } from "./log-throttle.ts";
import { RequestMemory } from "./request-memory.ts";

/** Where to listen, under which of Kafka's listener names. */
export interface ListenAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface ServerOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly handler: FrameHandler;
  readonly requestBytesMax: number;
  /** Bytes of requests held at once over all connections. */
  readonly queuedBytesMax: number;
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: (address: string) => number;
  readonly idleMsMax: number;
}

/** How long begun requests may take to be answered at shutdown. */
const drainMsMax = 5_000;

/** Accepts connections within their limits and ends them when idle or at shutdown. */
export class Server {
  readonly counts: ConnectionCounts = noConnections();
  readonly #options: ServerOptions;
  readonly #memory: RequestMemory;
  readonly #slabs = new FrameSlabs();
  readonly #connections = new Set<Connection>();
  readonly #connectionsByAddress = new Map<string, number>();
  readonly #listeners: Listener[] = [];
  readonly #stopIdleCheck: CancelTimer;
  /** Who came before `open`: nothing of theirs is read yet. */
  #early: { socket: Socket; address: ListenAddress }[] | undefined = [];
  #nextConnectionId = 1;
  readonly #failureLines: LogThrottle;
  #refusedSinceLog = 0;
  #stopRefusedLog: CancelTimer | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.#memory = new RequestMemory(options.queuedBytesMax);
    this.#failureLines = new LogThrottle(options.clock, (suppressed) => {
      options.logger.warn({ suppressed }, "closed further connections");
    });
    const checkEveryMs = Math.max(10, Math.min(10_000, options.idleMsMax / 4));
    this.#stopIdleCheck = every(
      options.clock,
      checkEveryMs,
      () => this.#closeIdle(),
      (err) => options.logger.error({ err }, "cannot look for idle connections"),
    );
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Open connections by the name of the listener that accepted them. */
  connectionsByListener(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { facts } of this.#connections) {
      counts.set(facts.listenerName, (counts.get(facts.listenerName) ?? 0) + 1);
    }
    return counts;
  }

  /** Requests that were read and are not answered yet, and the bytes that they hold. */
  get requestsHeld(): { readonly count: number; readonly sizeBytes: number } {
    return { count: this.#memory.requestCount, sizeBytes: this.#memory.usedBytes };
  }

  /** Opens one listener; answers the port it got. Connections are served from `open` on. */
  async listen(address: ListenAddress): Promise<number> {
    const listener = await this.#options.network.listen(address, (socket) => {
      if (this.#early) this.#early.push({ socket, address });
      else this.#accept(socket, address);
    });
    this.#listeners.push(listener);
    return listener.port;
  }

  /** Begins to serve. */
  open(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const { socket, address } of early) this.#accept(socket, address);
  }

  /** Refuses new connections, answers what has been begun, then closes all. */
  async close(): Promise<void> {
    this.#stopIdleCheck();
    const closing = this.#listeners.splice(0).map((listener) => listener.close());
    for (const { socket } of this.#early ?? []) socket.destroy();
    for (const connection of [...this.#connections]) connection.drain();
    const deadlineMs = this.#options.clock.monotonicMs() + drainMsMax;
    while (this.#connections.size > 0 && this.#options.clock.monotonicMs() < deadlineMs) {
      await sleep(this.#options.clock, 5);
    }
    for (const connection of [...this.#connections]) connection.close();
    this.#stopRefusedLog?.();
    this.#failureLines.stop();
    await Promise.all(closing);
  }

  #accept(socket: Socket, address: ListenAddress): void {
    const { connectionsMax, connectionsPerAddressMax } = this.#options;
    const ofAddress = this.#connectionsByAddress.get(socket.remoteAddress) ?? 0;
    if (
      this.#connections.size >= connectionsMax ||
      ofAddress >= connectionsPerAddressMax(socket.remoteAddress)
    ) {
      this.#refuse(socket);
      return;
    }
    this.#connectionsByAddress.set(socket.remoteAddress, ofAddress + 1);
    const connection = new Connection({
      id: this.#nextConnectionId,
      socket,
      listenerName: address.name,
      handler: this.#options.handler,
      memory: this.#memory,
      slabs: this.#slabs,
      counts: this.counts,
      clock: this.#options.clock,
      requestBytesMax: this.#options.requestBytesMax,
      idleMsMax: this.#options.idleMsMax,
      onClose: (closed, reason) => this.#forget(closed, reason),
    });
    this.#nextConnectionId += 1;
    this.counts.accepted += 1;
    this.#connections.add(connection);
  }

  #refuse(socket: Socket): void {
    socket.listen({ data: () => undefined, drain: () => undefined, close: () => undefined });
    socket.destroy();
    this.counts.refused += 1;
    // A storm of refused connections must not become a storm of log lines.
    if (this.#refusedSinceLog === 0) {
      this.#stopRefusedLog = this.#options.clock.schedule(1_000, () => {
        this.#options.logger.warn(
          { refused: this.#refusedSinceLog, connections: this.#connections.size },
          "refused connections: max.connections or max.connections.per.ip is reached",
        );
        this.#refusedSinceLog = 0;
      });
    }
    this.#refusedSinceLog += 1;
  }

  #closeIdle(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const connection of [...this.#connections]) connection.closeIfIdle(nowMs);
  }

  #forget(connection: Connection, reason: ConnectionEnd): void {
    this.#connections.delete(connection);
    const { remoteAddress, id } = connection.facts;
    const left = (this.#connectionsByAddress.get(remoteAddress) ?? 1) - 1;
    if (left > 0) this.#connectionsByAddress.set(remoteAddress, left);
    else this.#connectionsByAddress.delete(remoteAddress);
    this.counts.ended[reason.kind] += 1;
    if (reason.kind === "failed" && this.#failureLines.admits()) {
      const message = reason.error instanceof Error ? reason.error.message : String(reason.error);
      this.#options.logger.warn({ connection: id, remoteAddress, reason: message }, "closed a connection");
    }
  }
}
