import type { Logger } from "pino";
import type { MetadataStore } from "../metadata/metadata-store.ts";
import { planEvacuation } from "./evacuation-plan.ts";

export interface DecommissionOptions {
  readonly metadata: MetadataStore;
  /** Whether this node leads the metadata group: nobody else moves replicas. */
  readonly isController: () => boolean;
  /** Whether a node can be talked to now. */
  readonly isReachable: (nodeId: number) => boolean;
  readonly logger: Logger;
}

/** How often `check` is to be called. */
export const decommissionCheckMs = 1_000;
/** Partitions on their way at a time: each copies a whole log. */
const movesMax = 16;

/**
 * On the node that leads the metadata group: empties the nodes that are decommissioned, a few partitions at a time. What is
 * to be done is worked out anew each time, so that another node can go on with it at any moment.
 */
export class Decommission {
  readonly #options: DecommissionOptions;
  /** Nodes that were told of, with the replicas that they had left then. */
  readonly #told = new Map<number, number>();
  #wasStuck = false;

  constructor(options: DecommissionOptions) {
    this.#options = options;
  }

  /** Begins the moves that come next. */
  async check(): Promise<void> {
    const { metadata, isController, isReachable } = this.#options;
    if (!isController()) {
      this.#told.clear();
      this.#wasStuck = false;
      return;
    }
    const { moves, stuckCount, left } = planEvacuation(metadata.image, { movesMax, isReachable });
    this.#tell(left, stuckCount);
    // What does not come about is planned again.
    await Promise.all(moves.map((move) => metadata.propose({ kind: "setReplicas", ...move })));
  }

  #tell(left: ReadonlyMap<number, number>, stuckCount: number): void {
    const { logger } = this.#options;
    for (const nodeId of this.#told.keys()) if (!left.has(nodeId)) this.#told.delete(nodeId);
    for (const [nodeId, replicas] of left) {
      const before = this.#told.get(nodeId);
      this.#told.set(nodeId, replicas);
      if (replicas === 0 && before !== 0) {
        logger.info({ broker: nodeId }, "a broker holds no replicas any more, it can be stopped");
      } else if (before === undefined) logger.info({ broker: nodeId, replicas }, "a broker is being emptied");
    }
    const isStuck = stuckCount > 0;
    if (isStuck && !this.#wasStuck) {
      logger.warn({ partitions: stuckCount }, "no other broker can take replicas of a decommissioned one");
    }
    this.#wasStuck = isStuck;
  }
}
