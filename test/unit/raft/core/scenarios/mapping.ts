/** The scenarios of etcd's raft, by folder: each is expressed here under its own name, or has a reason not to be. */
export const etcdScenarios = {
  confchange: [
    "joint_autoleave",
    "joint_idempotency",
    "joint_learners_next",
    "joint_safety",
    "simple_idempotency",
    "simple_promote_demote",
    "simple_safety",
    "update",
    "zero",
  ],
  interaction: [
    "async_storage_writes",
    "async_storage_writes_append_aba_race",
    "campaign",
    "campaign_learner_must_vote",
    "checkquorum",
    "confchange_disable_validation",
    "confchange_v1_add_single",
    "confchange_v1_remove_leader",
    "confchange_v1_remove_leader_stepdown",
    "confchange_v2_add_double_auto",
    "confchange_v2_add_double_implicit",
    "confchange_v2_add_single_auto",
    "confchange_v2_add_single_explicit",
    "confchange_v2_replace_leader",
    "confchange_v2_replace_leader_stepdown",
    "forget_leader",
    "forget_leader_prevote_checkquorum",
    "forget_leader_read_only_lease_based",
    "heartbeat_resp_recovers_from_probing",
    "lagging_commit",
    "prevote",
    "prevote_checkquorum",
    "probe_and_replicate",
    "replicate_pause",
    "single_node",
    "slow_follower_after_compaction",
    "snapshot_succeed_via_app_resp",
    "snapshot_succeed_via_app_resp_behind",
  ],
  quorum: ["joint_commit", "joint_vote", "majority_commit", "majority_vote"],
} as const;

/** Why a scenario has no transcript. */
export const notApplicable: Readonly<Record<string, string>> = {
  "confchange/update":
    "There is no change that updates a member without changing the configuration: what else is known of nodes is metadata's.",
  "confchange/zero": "Node id 0 is an ordinary Kafka node id, so steps on it are not ignored.",
  "interaction/confchange_disable_validation":
    "Changes are always checked against the committed configuration, whose next one is proposed only once it is committed.",
  "interaction/forget_leader_read_only_lease_based":
    "Reads are always confirmed by a majority; there is no lease that forgetting a leader could break.",
};
