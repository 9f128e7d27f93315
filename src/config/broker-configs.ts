import { brokerClusterConfigs } from "./broker-cluster-configs.ts";
import { brokerCoordinatorConfigs } from "./broker-coordinator-configs.ts";
import { brokerLogConfigs } from "./broker-log-configs.ts";
import { brokerSecurityConfigs } from "./broker-security-configs.ts";
import { brokerServerConfigs } from "./broker-server-configs.ts";
import { type ConfigDefinition, tableOf } from "./definition.ts";
import { millraceConfigs } from "./millrace-configs.ts";

/**
 * Every config of a broker, by name.
 *
 * Defaults are Kafka's except for the few without which nothing would start, or would start in a bad place:
 * node.id, process.roles and controller.listener.names (Kafka requires them), listeners (Kafka opens every
 * address), log.dir (Kafka keeps data in a temporary directory).
 */
export const brokerConfigs: ReadonlyMap<string, ConfigDefinition> = tableOf(
  brokerClusterConfigs,
  brokerCoordinatorConfigs,
  brokerLogConfigs,
  brokerSecurityConfigs,
  brokerServerConfigs,
  millraceConfigs,
);

/** Names by which Kafka knew configs that it has removed: its older files still hold them. */
export const removedBrokerConfigs: ReadonlySet<string> = new Set([
  "advertised.host.name",
  "advertised.port",
  "broker.id.generation.enable",
  "control.plane.listener.name",
  "delegation.token.master.key",
  "group.coordinator.new.enable",
  "host.name",
  "inter.broker.protocol.version",
  "log.message.downconversion.enable",
  "log.message.format.version",
  "log.message.timestamp.difference.max.ms",
  "offsets.commit.required.acks",
  "password.encoder.cipher.algorithm",
  "password.encoder.iterations",
  "password.encoder.key.length",
  "password.encoder.keyfactory.algorithm",
  "password.encoder.old.secret",
  "password.encoder.secret",
  "port",
  "quota.consumer.default",
  "quota.producer.default",
  "reserved.broker.max.id",
  "zookeeper.clientCnxnSocket",
  "zookeeper.connect",
  "zookeeper.connection.timeout.ms",
  "zookeeper.max.in.flight.requests",
  "zookeeper.metadata.migration.enable",
  "zookeeper.session.timeout.ms",
  "zookeeper.set.acl",
]);

/**
 * Configs of the broker resource that exist only while it runs, set by Kafka's own reassignment tool (KIP-73).
 * They are kept and described, as Kafka does, and nothing is throttled by them yet.
 */
export const dynamicOnlyBrokerConfigs: ReadonlySet<string> = new Set([
  "follower.replication.throttled.rate",
  "leader.replication.throttled.rate",
  "replica.alter.log.dirs.io.max.bytes.per.second",
]);

/** The config behind a "listener.name.<listener>." prefix, or the name itself. */
export function withoutListenerPrefix(name: string): string {
  return /^listener\.name\.[^.]+\.(.+)$/.exec(name)?.[1] ?? name;
}

/** True for names that Kafka hands to plug-ins, which Millrace does not load. */
export function isPlugInConfig(name: string): boolean {
  return (
    name.startsWith("rlmm.config.") || name.startsWith("rsm.config.") || name.startsWith("config.providers.")
  );
}
