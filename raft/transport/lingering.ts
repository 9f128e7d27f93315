import type { RaftClock } from "../clock.ts";
import type { FrameConnection } from "./frame-connection.ts";

/** More than this many ended connections do not get to send their last bytes. */
const countMax = 64;

/** Connections that were ended and get a little time to send their last bytes. */
export class Lingering {
  readonly #clock: RaftClock;
  readonly #lingerMs: number;
  readonly #connections = new Map<FrameConnection, () => void>();

  constructor(clock: RaftClock, lingerMs: number) {
    this.#clock = clock;
    this.#lingerMs = lingerMs;
  }

  add(connection: FrameConnection): void {
    if (this.#connections.size >= countMax) {
      connection.destroy();
      return;
    }
    const cancel = this.#clock.schedule(this.#lingerMs, () => connection.destroy());
    this.#connections.set(connection, cancel);
    void connection.closed.then(() => {
      cancel();
      this.#connections.delete(connection);
    });
  }

  /** Resolves when all are gone. */
  async drained(): Promise<void> {
    await Promise.all([...this.#connections.keys()].map((connection) => connection.closed));
  }
}
