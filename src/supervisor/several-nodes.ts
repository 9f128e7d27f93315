/** How many brokers one command is to run on this machine, and what they are for. */
export type SeveralNodes =
  | { readonly kind: "one" }
  /** One broker for each core: part of a cluster, or all of it. */
  | { readonly kind: "cores"; readonly count: number }
  /** A cluster to try things on: three nodes, three replicas of everything. */
  | { readonly kind: "local" }
  | { readonly kind: "problem"; readonly problem: string };

/** The command line without the flags that are not configs. */
export interface TakenFlags {
  readonly nodes: SeveralNodes;
  readonly args: readonly string[];
}

const coresMax = 64;

/** Takes `--cores N` and `--local-cluster` out of a command line; everything else is a broker's. */
export function takeNodeFlags(args: readonly string[]): TakenFlags {
  const rest: string[] = [];
  let cores: string | undefined;
  let isLocal = false;
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? "";
    if (argument === "--local-cluster") isLocal = true;
    else if (argument === "--cores") cores = args[++index] ?? "";
    else if (argument.startsWith("--cores=")) cores = argument.slice("--cores=".length);
    else rest.push(argument);
  }
  return { nodes: nodesOf(cores, isLocal), args: rest };
}

function nodesOf(cores: string | undefined, isLocal: boolean): SeveralNodes {
  if (isLocal && cores !== undefined) {
    return { kind: "problem", problem: "Cannot use --cores with --local-cluster: that one has three nodes" };
  }
  if (isLocal) return { kind: "local" };
  if (cores === undefined) return { kind: "one" };
  const count = /^\d+$/.test(cores) ? Number(cores) : 0;
  if (count >= 1 && count <= coresMax) return { kind: "cores", count };
  return {
    kind: "problem",
    problem: `Cannot use --cores "${cores}": it is a whole number from 1 to ${coresMax}`,
  };
}
