import { zeroUuid } from "#protocol/bytes/uuid.ts";

/** Names of one broker's topic ids, as answers that have both tell them. */
export class TopicNames {
  readonly #names = new Map<string, string>();

  /** How often something was changed to see when that can be read. */
  changes = 0;

  learn(value: unknown): void {
    if (value instanceof Uint8Array || typeof value !== "object" || value === null) return;
    if ("topicId" in value && "name" in value && value.topicId !== zeroUuid && value.name) {
      this.#names.set(String(value.topicId), String(value.name));
    }
    for (const inner of Object.values(value)) this.learn(inner);
  }

  /** The same words for the same topic on every broker. */
  describe(id: string): string {
    return id === zeroUuid ? "no id" : `id of ${this.#names.get(id) ?? id}`;
  }
}
