import { readRecords } from "#protocol/records/record.ts";
import { configsOf } from "#src/cluster/metadata/metadata-image.ts";
import { MetadataStore } from "#src/cluster/metadata/metadata-store.ts";
import { readGroupRecord } from "#src/coordinators/groups/group-records.ts";
import { offsetsTopicName } from "#src/coordinators/offsets-topic.ts";
import { Partition } from "#src/partitions/partition.ts";
import { alteredConfig, configRegister } from "../clients/admin.ts";
import { offsetRegister } from "../clients/group-member.ts";
import { replaceMethod, together } from "../planted/replace-method.ts";
import type { Watched } from "./watched.ts";

/** More than any batch that a coordinator writes in a run. */
const decompressedBytesMax = 1 << 20;

/** Notes the groups' offsets and the topics' configs that are committed, when the first node applies them. */
export function observeWrites({ committedWrites }: Pick<Watched, "committedWrites">): Disposable {
  return together(
    replaceMethod(Partition.prototype, "apply", (apply) => {
      return function (this: Partition, entry) {
        apply.call(this, entry);
        // Without its payload it is one that a node has applied before.
        if (this.topic !== offsetsTopicName || entry.kind !== "data" || entry.payload.length === 0) return;
        for (const { key, value } of readRecords(entry.payload, { decompressedBytesMax })) {
          const fact = key && readGroupRecord(key, value);
          if (fact?.kind !== "offset" || !fact.committed) continue;
          committedWrites.note(offsetRegister(fact.groupId, fact.at), fact.committed.offset);
        }
      };
    }),
    replaceMethod(MetadataStore.prototype, "apply", (apply) => {
      return function (this: MetadataStore, entry) {
        const { image: previous } = this;
        apply.call(this, entry);
        if (this.image.configs === previous.configs) return;
        for (const topic of this.image.topics.keys()) {
          const value = configsOf(this.image, "topic", topic).get(alteredConfig);
          if (value !== undefined) committedWrites.note(configRegister(topic), Number(value));
        }
      };
    }),
  );
}
