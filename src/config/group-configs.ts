import { boolean, type ConfigDefinition, int, string, tableOf, withUpdateMode } from "./definition.ts";
import { atLeast, oneOf, shareOffsetReset } from "./validator.ts";

/** Every config of a group, by name; the broker config of that name behind "group." is its default, where there is one. */
export const groupConfigs: ReadonlyMap<string, ConfigDefinition> = tableOf(
  withUpdateMode("group", [
    int("consumer.assignment.interval.ms", 1000, { validator: atLeast(0) }),
    int("consumer.heartbeat.interval.ms", 5000, { validator: atLeast(1) }),
    int("consumer.session.timeout.ms", 45000, { validator: atLeast(1) }),
    int("share.assignment.interval.ms", 1000, { validator: atLeast(0) }),
    string("share.auto.offset.reset", "latest", { validator: shareOffsetReset }),
    int("share.delivery.count.limit", 5, { validator: atLeast(2) }),
    int("share.heartbeat.interval.ms", 5000, { validator: atLeast(1) }),
    string("share.isolation.level", "read_uncommitted", {
      validator: oneOf("read_committed", "read_uncommitted"),
    }),
    int("share.partition.max.record.locks", 2000, { validator: atLeast(100) }),
    int("share.record.lock.duration.ms", 30000, { validator: atLeast(1000) }),
    boolean("share.renew.acknowledge.enable", true),
    int("share.session.timeout.ms", 45000, { validator: atLeast(1) }),
    int("streams.assignment.interval.ms", 1000, { validator: atLeast(0) }),
    int("streams.heartbeat.interval.ms", 5000, { validator: atLeast(1) }),
    int("streams.initial.rebalance.delay.ms", 3000, { validator: atLeast(0) }),
    int("streams.num.standby.replicas", 0, { validator: atLeast(0) }),
    int("streams.session.timeout.ms", 45000, { validator: atLeast(1) }),
  ]),
);
