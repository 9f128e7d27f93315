import { RaftHost } from "#raft/host/raft-host.ts";
import { TopicAdmin } from "#src/cluster/admin/topic-admin.ts";
import { MetadataStore } from "#src/cluster/metadata/metadata-store.ts";
import { ProducerIds } from "#src/cluster/metadata/producer-ids.ts";
import { OffsetsTopic } from "#src/coordinators/offsets-topic.ts";
import { Router } from "#src/server/router.ts";
import type { PlantedBug } from "./planted-bug.ts";
import { replaceMethod } from "./replace-method.ts";

/** Bugs in what surrounds partitions: metadata, groups, connections. */
export const clusterBugs: readonly PlantedBug[] = [
  {
    name: "hands out producer ids again after a restart",
    trap: "blocks of producer ids are allocated durably first",
    plant: () => {
      const next = new WeakMap<ProducerIds, number>();
      return replaceMethod(ProducerIds.prototype, "next", () => {
        return async function (this: ProducerIds) {
          const id = next.get(this) ?? 0;
          next.set(this, id + 1);
          return id;
        };
      });
    },
  },
  {
    name: "answers commits of offsets before they are durable",
    trap: "coordinators answer only from applied state",
    plant: () =>
      replaceMethod(OffsetsTopic.prototype, "append", (append) => {
        return async function (this: OffsetsTopic, ...call) {
          append.apply(this, call).catch(() => undefined);
        };
      }),
  },
  {
    name: "does not load groups when it starts",
    trap: "group state survives a restart",
    plant: () =>
      replaceMethod(OffsetsTopic.prototype, "load", () => {
        return async function (this: OffsetsTopic) {};
      }),
  },
  {
    name: "forgets every third change of a config",
    trap: "an answered change of metadata is committed",
    plant: () => {
      let count = 0;
      return replaceMethod(MetadataStore.prototype, "propose", (propose) => {
        return function (this: MetadataStore, command) {
          if (command.kind !== "setConfigs") return propose.call(this, command);
          count += 1;
          return count % 3 === 0 ? Promise.resolve({ kind: "done" }) : propose.call(this, command);
        };
      });
    },
  },
  {
    name: "answers the creation of a topic before it serves",
    trap: "a created topic can be used",
    plant: () =>
      replaceMethod(TopicAdmin.prototype, "create", (create) => {
        return async function (this: TopicAdmin, ...call) {
          const planned = await create.call(this, call[0], { ...call[1], validateOnly: true });
          create.apply(this, call).catch(() => undefined);
          return planned;
        };
      }),
  },
  {
    name: "begins every request before the one before it is answered",
    trap: "a client sees its own effects",
    plant: () =>
      replaceMethod(Router.prototype, "carriesRecords", () => {
        return function (this: Router) {
          return true;
        };
      }),
  },
  {
    name: "drops the last entry of the journal when it starts",
    trap: "what the journal holds is committed",
    plant: () =>
      replaceMethod(RaftHost.prototype, "start", (start) => {
        return function (this: RaftHost, options) {
          const { entries } = options;
          return start.call(this, entries ? { ...options, entries: entries.slice(0, -1) } : options);
        };
      }),
  },
];
