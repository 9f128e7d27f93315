import type { Logger } from "pino";
import type { Clock } from "../../runtime/clock.ts";
import type { BrokerRegistration } from "../metadata/metadata-command.ts";
import type { MetadataStore } from "../metadata/metadata-store.ts";

export interface LivenessOptions {
  readonly nodeId: number;
  readonly metadata: MetadataStore;
  readonly isUp: (nodeId: number) => boolean;
  /** Whether this node leads the metadata group: nobody else judges. */
  readonly isController: () => boolean;
  readonly sessionTimeoutMs: () => number;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly logger: Logger;
}

/** On the node that leads the metadata group: fences brokers that are not reached, and takes them back when they are. */
export class Liveness {
  readonly #options: LivenessOptions;
  /** Monotonic time at which each node was reached last. */
  readonly #reachedMs = new Map<number, number>();
  readonly #deciding = new Set<number>();
  #wasController = false;

  constructor(options: LivenessOptions) {
    this.#options = options;
  }

  /** Looks at all brokers; called several times within a session timeout. */
  check(): void {
    const { metadata, isController, clock, nodeId } = this.#options;
    const isControllerNow = isController();
    // A new controller has not looked at anybody yet.
    if (isControllerNow && !this.#wasController) this.#reachedMs.clear();
    this.#wasController = isControllerNow;
    if (!isControllerNow) return;
    const nowMs = clock.monotonicMs();
    for (const broker of metadata.image.brokers.values()) {
      if (broker.nodeId !== nodeId) this.#judge(broker, nowMs);
      else if (broker.isFenced) this.#setFenced(broker, false);
    }
  }

  #judge(broker: BrokerRegistration, nowMs: number): void {
    const { isUp, sessionTimeoutMs } = this.#options;
    const reachedMs = this.#reachedMs.get(broker.nodeId);
    if (reachedMs === undefined || isUp(broker.nodeId)) this.#reachedMs.set(broker.nodeId, nowMs);
    if (isUp(broker.nodeId)) {
      if (broker.isFenced) this.#setFenced(broker, false);
    } else if (!broker.isFenced && reachedMs !== undefined && nowMs - reachedMs >= sessionTimeoutMs()) {
      this.#setFenced(broker, true);
    }
  }

  #setFenced({ nodeId, incarnation }: BrokerRegistration, isFenced: boolean): void {
    if (this.#deciding.has(nodeId)) return;
    this.#deciding.add(nodeId);
    const { metadata, logger } = this.#options;
    logger.warn({ broker: nodeId, isFenced }, isFenced ? "a broker is gone" : "a broker is back");
    metadata
      .propose({ kind: "setFenced", nodeId, incarnation, isFenced })
      // Storage has failed, which others tell.
      .catch(() => undefined)
      .finally(() => this.#deciding.delete(nodeId));
  }
}
