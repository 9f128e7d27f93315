import type { MetadataCommand } from "../metadata/metadata-command.ts";
import type { MetadataStore } from "../metadata/metadata-store.ts";
import { ForeignDirectoryError } from "./node-identity-file.ts";

export interface RegistrationOptions {
  readonly metadata: MetadataStore;
  readonly logDirectory: string;
  /** Once aborted, a node that nobody takes gives up. */
  readonly stopping: AbortSignal | undefined;
}

/**
 * Announces a node to its cluster, as often as it takes.
 * @throws Error where the cluster does not take this node, or does not answer
 */
export async function register(
  registration: MetadataCommand & { kind: "registerBroker" },
  { metadata, logDirectory, stopping }: RegistrationOptions,
): Promise<void> {
  const { nodeId } = registration;
  for (;;) {
    const result = await metadata.propose(registration);
    switch (result.kind) {
      case "done":
        return;
      case "indefinite":
      case "noController":
        // What is not known to be done can be done once more.
        stopping?.throwIfAborted();
        break;
      case "foreignDirectory":
        throw new ForeignDirectoryError(logDirectory, `node ${nodeId} is registered with another one`);
      case "olderDirectory":
        throw new ForeignDirectoryError(
          logDirectory,
          `node ${nodeId} has served with a later state of it, and this one has forgotten what was promised since`,
        );
      case "holdsReplicas":
        throw new Error(
          `Cannot start node ${nodeId} as a controller alone: partitions have replicas on it, which have to be moved first`,
        );
      default:
        throw new Error(`Cannot register node ${nodeId}: ${result.kind}`);
    }
  }
}
