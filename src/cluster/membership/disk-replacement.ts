import type { Logger } from "pino";
import type { HostPort } from "../../config/host-port.ts";
import { type Clock, sleep } from "../../runtime/clock.ts";
import { LongWait } from "../../runtime/long-wait.ts";
import type { MetadataStore } from "../metadata/metadata-store.ts";
import type { NodeAnswer } from "../network/quorum-search.ts";

export interface DiskReplacementOptions {
  readonly metadata: MetadataStore;
  readonly clock: Pick<Clock, "monotonicMs" | "schedule">;
  readonly logger: Logger;
  /** Asks a node who it is; it is told the disk that this node has come with. */
  readonly ask: (server: HostPort) => Promise<NodeAnswer>;
}

const askIntervalMs = 200;

/**
 * The procedure for a lost disk (decision 17): a node that is told to replace its disk asks the others until the metadata
 * group has counted its new one. Only then does it take part in anything, as another replica than it was.
 */
export class DiskReplacement {
  readonly #options: DiskReplacementOptions;
  readonly #proposing = new Set<number>();
  #isAsking = false;

  constructor(options: DiskReplacementOptions) {
    this.#options = options;
  }

  /** Whether this node asks now, and so is to tell its directory for a new one. */
  get isAsking(): boolean {
    return this.#isAsking;
  }

  /** Resolves with the number that the new disk has, once a node knows it. */
  async askFor(
    servers: readonly HostPort[],
    { isClosed }: { readonly isClosed: () => boolean },
  ): Promise<number> {
    const { clock, logger, ask } = this.#options;
    this.#isAsking = true;
    const wait = new LongWait(clock);
    while (!isClosed()) {
      const answers = await Promise.allSettled(servers.map((server) => ask(server)));
      for (const answer of answers) {
        const incarnation = answer.status === "fulfilled" ? answer.value.card.yourIncarnation : undefined;
        if (!incarnation) continue;
        this.#isAsking = false;
        logger.warn({ incarnation }, "the cluster takes this disk in the place of the lost one");
        return incarnation;
      }
      wait.tell(() =>
        logger.warn(
          "waiting for the cluster to take this disk: the node has to be registered, and seen as gone",
        ),
      );
      await sleep(clock, askIntervalMs);
    }
    throw new Error("Cannot replace the disk: the broker is stopping");
  }

  /** Another node has come with a new disk: asks the metadata group to count it, where that is not under way. */
  replace(nodeId: number, directoryId: string): void {
    const { metadata, logger } = this.#options;
    // It asks several times in a second, and is told when it is answered what it waits for.
    if (metadata.image.brokers.get(nodeId)?.isFenced === false || this.#proposing.has(nodeId)) return;
    this.#proposing.add(nodeId);
    metadata
      .propose({ kind: "replaceDisk", nodeId, directoryId })
      .then((result) => {
        if (result.kind !== "disk") return;
        logger.warn(
          { node: nodeId, incarnation: result.incarnation },
          "a node has lost its disk and gets another",
        );
      })
      // It asks again.
      .catch(() => undefined)
      .finally(() => this.#proposing.delete(nodeId));
  }
}
