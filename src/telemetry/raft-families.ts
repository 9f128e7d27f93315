import { type MetricFamily, single } from "./metric-family.ts";
import type { MetricSources } from "./metric-sources.ts";

/** Replication groups: that of the metadata and one for each partition. */
export const raftFamilies: readonly MetricFamily<MetricSources>[] = [
  {
    name: "millrace_raft_groups",
    kind: "gauge",
    help: "Replication groups with a replica on this node, that of the metadata included.",
    labels: [],
    read: ({ raft }) => single(raft.groups),
  },
  {
    name: "millrace_raft_leader_groups",
    kind: "gauge",
    help: "Replication groups that this node leads.",
    labels: [],
    read: ({ raft }) => single(raft.led),
  },
  {
    name: "millrace_raft_campaigns_total",
    kind: "counter",
    help: "Times that replicas of this node heard of no leader and asked whether they could be one; in peace it stands still.",
    labels: [],
    read: ({ raft }) => single(raft.campaigns),
  },
  {
    name: "millrace_raft_elections_won_total",
    kind: "counter",
    help: "Times that replicas of this node became leaders.",
    labels: [],
    read: ({ raft }) => single(raft.electionsWon),
  },
];
