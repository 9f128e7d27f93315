import type { CommandGroup, Option } from "../command.ts";
import { connectionOptions, jsonOption } from "./common-options.ts";

const nodeOption: Option = { name: "node", short: "n", value: "ID", summary: "the node, by its id" };

/** `millrace cluster ...`. */
export const cluster: CommandGroup = {
  name: "cluster",
  summary: "show the cluster, and take nodes in and out of service",
  commands: [
    {
      name: "cluster",
      summary: "show the cluster's id, nodes, topics and disk use; fails when it cannot be reached",
      description: [
        '"millrace cluster maintenance", "decommission" and "unregister" take nodes in and out of service.',
      ],
      positionals: [],
      options: [
        { name: "apis", summary: "show which versions of which APIs are served" },
        jsonOption,
        ...connectionOptions,
      ],
      load: async () => (await import("../commands/describe-cluster.ts")).describeCluster,
    },
    {
      name: "cluster maintenance",
      summary: "let a node lead nothing while somebody works on it",
      description: [
        "In maintenance a node gives away what it leads and gets no new replicas; it goes on replicating, and may be",
        "stopped and started. Waits, for as long as --timeout says, until the node leads nothing.",
      ],
      positionals: [],
      options: [
        nodeOption,
        { name: "on", summary: "begin it" },
        { name: "off", summary: "end it; the node gets back bit by bit what it was meant to lead" },
        jsonOption,
        ...connectionOptions,
      ],
      examples: [
        { says: "Before node 2 is stopped", line: "millrace cluster maintenance --node 2 --on" },
        { says: "Once it is back", line: "millrace cluster maintenance --node 2 --off" },
      ],
      load: async () => (await import("../commands/maintain-node.ts")).maintainNode,
    },
    {
      name: "cluster decommission",
      summary: "move all replicas of a node to others, so that it can be stopped for good",
      description: [
        "Begins it, and returns; --status tells how far it is. Moves go to racks that have no replica of the partition",
        "first. A node that is dead can be decommissioned, too.",
      ],
      positionals: [],
      options: [
        nodeOption,
        { name: "status", summary: "change nothing, show how far it is" },
        { name: "cancel", summary: "end it: moves under way are taken back, those that are done stay" },
        jsonOption,
        ...connectionOptions,
      ],
      examples: [
        { says: "Begin to empty node 3", line: "millrace cluster decommission --node 3" },
        { says: "See how far that is", line: "millrace cluster decommission --node 3 --status" },
        { says: "Once it is empty and stopped", line: "millrace cluster unregister --node 3" },
      ],
      load: async () => (await import("../commands/decommission-node.ts")).decommissionNode,
    },
    {
      name: "cluster unregister",
      summary: "forget a node that is stopped and holds no replicas",
      positionals: [],
      options: [nodeOption, jsonOption, ...connectionOptions],
      load: async () => (await import("../commands/unregister-node.ts")).unregisterNode,
    },
  ],
};
