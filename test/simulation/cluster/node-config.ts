import type { BrokerConfig } from "#src/config/broker-config.ts";
import { loadBrokerConfig } from "#src/config/load-broker-config.ts";
import type { Plan } from "../plan/plan.ts";

/** Where clients connect to. */
export const brokerPort = 9092;
const controllerPort = 9093;

/** The plan's configs for one host, read as a start reads them. */
export function nodeConfig({ brokerConfigs, hosts }: Plan, host: string): BrokerConfig {
  const texts = {
    ...brokerConfigs,
    "node.id": String(hosts.indexOf(host) + 1),
    listeners: `PLAINTEXT://${host}:${brokerPort}`,
    ...(hosts.length > 1 && {
      "process.roles": "broker,controller",
      listeners: `PLAINTEXT://${host}:${brokerPort},CONTROLLER://${host}:${controllerPort}`,
      "controller.listener.names": "CONTROLLER",
      "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
      "controller.quorum.voters": hosts.map((name, at) => `${at + 1}@${name}:${controllerPort}`).join(","),
    }),
    "advertised.listeners": `PLAINTEXT://${host}:${brokerPort}`,
  };
  const loaded = loadBrokerConfig({
    args: Object.entries(texts).map(([name, value]) => `--${name}=${value}`),
    environment: {},
    readFile: () => "",
    hostName: host,
  });
  if (loaded.kind !== "config") throw new Error(`Cannot load configs: ${JSON.stringify(loaded)}`);
  return loaded.config;
}
