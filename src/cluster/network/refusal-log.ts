import type { Logger } from "pino";
import type { Refusal, RefusalCode } from "#raft/transport/refusal.ts";
import type { Clock } from "../../runtime/clock.ts";
import { LogThrottle } from "../../server/log-throttle.ts";

/** What is the matter with a node and not with a connection: it goes on until somebody does something about it. */
const lasting: ReadonlySet<RefusalCode> = new Set([
  "version",
  "foreignCluster",
  "reusedNodeId",
  "wrongNode",
  "incarnation",
  "unknownNode",
]);

/** A refusal is told again after so long: the node that was refused tries every few seconds. */
const tellAgainMs = 60_000;
const rememberedMax = 1_000;

/**
 * Tells the operator who was kept out of the port between nodes: on the node that was not let in as an error, because it
 * waits for somebody to help; where it was kept out as a warning.
 */
export class RefusalLog {
  readonly #logger: Logger;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #throttle: LogThrottle;
  /** Monotonic time at which each lasting refusal was told last. */
  readonly #toldMs = new Map<string, number>();

  constructor(logger: Logger, clock: Pick<Clock, "monotonicMs" | "schedule">) {
    this.#logger = logger;
    this.#clock = clock;
    this.#throttle = new LogThrottle(clock, (count) =>
      logger.warn({ count }, "further connections were refused on the port between nodes"),
    );
  }

  tell(refusal: Refusal): void {
    const isLasting = lasting.has(refusal.code);
    if (isLasting ? this.#wasTold(refusal) : !this.#throttle.admits()) return;
    const needsHelp = isLasting && refusal.direction === "outbound";
    const message =
      refusal.by === "remote"
        ? `Node ${refusal.nodeId} refuses this node: ${refusal.message}`
        : refusal.message;
    this.#logger[needsHelp ? "error" : "warn"]({ refusal }, message);
  }

  /** Leaves no timer behind. */
  close(): void {
    this.#throttle.stop();
  }

  #wasTold({ direction, by, code, nodeId, message }: Refusal): boolean {
    const key = `${direction} ${by} ${code} ${nodeId} ${message}`;
    const nowMs = this.#clock.monotonicMs();
    const toldMs = this.#toldMs.get(key);
    if (toldMs !== undefined && nowMs - toldMs < tellAgainMs) return true;
    this.#toldMs.delete(key);
    this.#toldMs.set(key, nowMs);
    for (const oldest of this.#toldMs.keys()) {
      if (this.#toldMs.size <= rememberedMax) break;
      this.#toldMs.delete(oldest);
    }
    return false;
  }
}
