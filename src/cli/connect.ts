import type { Arguments } from "./arguments.ts";
import { type Address, parseAddress } from "./client/address.ts";
import { Cluster } from "./client/cluster.ts";
import { UsageError } from "./failure.ts";
import type { World } from "./world.ts";

const defaultBootstrap = "127.0.0.1:9092";
const defaultTimeoutSeconds = 30;

/** Connects to the cluster that the flags, or the environment, name. @throws UsageError, NoBrokerError */
export async function connectCluster(given: Arguments, world: World): Promise<Cluster> {
  const timeoutSeconds = given.integer("timeout", { min: 1, max: 86_400 }) ?? defaultTimeoutSeconds;
  return await Cluster.connect({
    bootstrap: bootstrapOf(given, world),
    clientId: "millrace",
    clock: world.clock,
    timeoutMs: timeoutSeconds * 1000,
  });
}

function bootstrapOf(given: Arguments, { environment }: World): readonly Address[] {
  const flag = given.text("bootstrap-server");
  const variable = environment.KAFKA_BOOTSTRAP_SERVERS?.trim();
  const origin = flag === undefined && variable ? "KAFKA_BOOTSTRAP_SERVERS" : "--bootstrap-server";
  const text = flag ?? (variable || defaultBootstrap);
  return text.split(",").map((part) => {
    const address = parseAddress(part);
    if (!address)
      throw new UsageError(`Cannot use ${origin} "${text}": it is HOST:PORT, several with commas`);
    return address;
  });
}
