import { connect, createServer, type Server, type Socket } from "node:net";
import { freePort } from "../integration/free-port.ts";

/** From one node to another. */
export interface Direction {
  readonly from: number;
  readonly to: number;
}

const keyOf = ({ from, to }: Direction): string => `${from}>${to}`;

/**
 * The network between nodes, as proxies: each node reaches each other one through a port of its own, and what travels
 * in one direction can be made to stop without an error, as by a cable that is cut.
 */
export class NodeLinks implements AsyncDisposable {
  readonly #servers: Server[] = [];
  readonly #pairs = new Set<SocketPair>();
  readonly #blocked = new Set<string>();

  /** Opens the way from one node to another's port; answers the port that the first is to be told. */
  async open({ from, to, port }: Direction & { readonly port: number }): Promise<number> {
    const ownPort = await freePort();
    const server = createServer({ allowHalfOpen: true }, (near) => {
      const pair = new SocketPair({ near, port, from, to }, (direction) =>
        this.#blocked.has(keyOf(direction)),
      );
      this.#pairs.add(pair);
      near.once("close", () => {
        if (pair.isOver) this.#pairs.delete(pair);
      });
    });
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(ownPort, "127.0.0.1", resolve);
    });
    return ownPort;
  }

  /** Loses all that is sent in these directions, until they are let through again. */
  block(directions: readonly Direction[]): void {
    for (const direction of directions) this.#blocked.add(keyOf(direction));
    this.#look();
  }

  /** What was held back goes on, or breaks where an end is gone. */
  unblock(directions: readonly Direction[]): void {
    for (const direction of directions) this.#blocked.delete(keyOf(direction));
    this.#look();
  }

  /** Breaks all connections. */
  reset(): void {
    for (const pair of this.#pairs) pair.destroy();
    this.#pairs.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.reset();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  #look(): void {
    for (const pair of this.#pairs) {
      pair.look();
      if (pair.isOver) this.#pairs.delete(pair);
    }
  }
}

/** One connection through a proxy: its two sockets, and what happens to each direction. */
class SocketPair {
  readonly #near: Socket;
  readonly #forward: Direction;
  readonly #backward: Direction;
  readonly #port: number;
  readonly #isBlocked: (direction: Direction) => boolean;
  #far: Socket | undefined;
  readonly #ended = new Set<Socket>();

  constructor(
    { near, port, from, to }: Direction & { near: Socket; port: number },
    isBlocked: (direction: Direction) => boolean,
  ) {
    this.#near = near;
    this.#port = port;
    this.#forward = { from, to };
    this.#backward = { from: to, to: from };
    this.#isBlocked = isBlocked;
    this.#wire(near, () => this.#far);
    this.look();
  }

  /** Whether nothing of the connection is left. */
  get isOver(): boolean {
    return this.#near.destroyed && (this.#far?.destroyed ?? true);
  }

  /** Looks again at what may pass. */
  look(): void {
    const isForwardBlocked = this.#isBlocked(this.#forward);
    const isBackwardBlocked = this.#isBlocked(this.#backward);
    if (!this.#far) {
      if (this.#near.destroyed || this.#ended.has(this.#near)) this.#near.destroy();
      // A connection takes words in both directions.
      else if (!isForwardBlocked && !isBackwardBlocked) this.#reach();
      return;
    }
    this.#let(this.#near, { isThrough: !isForwardBlocked, other: this.#far });
    this.#let(this.#far, { isThrough: !isBackwardBlocked, other: this.#near });
  }

  destroy(): void {
    this.#near.resetAndDestroy();
    this.#far?.resetAndDestroy();
  }

  #reach(): void {
    this.#far = connect({ host: "127.0.0.1", port: this.#port, allowHalfOpen: true });
    this.#wire(this.#far, () => this.#near);
    this.look();
  }

  #let(socket: Socket, { isThrough, other }: { isThrough: boolean; other: Socket }): void {
    if (!isThrough) {
      socket.pause();
      return;
    }
    if (socket.destroyed) other.destroy();
    else if (this.#ended.has(socket)) other.end();
    else if (!other.writableNeedDrain) socket.resume();
  }

  #wire(socket: Socket, otherOf: () => Socket | undefined): void {
    socket.pause();
    socket.setNoDelay(true);
    socket.on("data", (chunk) => {
      if (otherOf()?.write(chunk) === false) socket.pause();
    });
    // What the other end could not be given for a while goes on from here.
    socket.on("drain", () => this.look());
    socket.on("end", () => {
      this.#ended.add(socket);
      this.look();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => this.look());
  }
}
