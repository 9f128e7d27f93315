import type { CrashMode } from "#storage/io/faulty-file.ts";

/**
 * Hosts that are looked up when the fault happens: who leads most partitions then, and who leads the metadata; any
 * node, always the same one, where nobody does.
 */
export const roles = ["@leader", "@controller"] as const;

/** What goes wrong, and when. A host may be one of `roles`. Each undoes itself after `forMs`, so that any of them can be left out of a run. */
export type Fault = { readonly atMs: number; readonly forMs: number } & FaultKind;

type FaultKind =
  | {
      readonly kind: "kill";
      readonly host: string;
      readonly mode: CrashMode;
      readonly isPowerLost: boolean;
      /** Waits, for as long as the fault lasts, for the next change of such a path, and strikes in its middle. */
      readonly during: string | undefined;
    }
  /** All nodes lose their power at once. */
  | { readonly kind: "blackout"; readonly mode: CrashMode }
  | { readonly kind: "stop"; readonly host: string }
  | { readonly kind: "pause"; readonly host: string }
  | { readonly kind: "clockJump"; readonly host: string; readonly skewMs: number }
  | { readonly kind: "partition"; readonly shape: string; readonly cuts: readonly Cut[] }
  /** Cuts one node off from the others, and from clients too or not. */
  | {
      readonly kind: "isolate";
      readonly host: string;
      readonly direction: "both" | "in" | "out";
      readonly clients: readonly string[];
    }
  /** Strikes whoever wins an election, again and again. */
  | {
      readonly kind: "hunt";
      readonly prey: Prey;
      readonly blows: readonly Blow[];
      /** How long after its election a winner is struck, in ms: up to this, evenly in its logarithm. */
      readonly delayMsMax: number;
      /** How long it stays struck, in ms; at most until the next one is. */
      readonly restMs: number;
    }
  | { readonly kind: "resets"; readonly probability: number }
  | { readonly kind: "slowNetwork"; readonly factor: number }
  | { readonly kind: "slowDisk"; readonly host: string; readonly factor: number }
  | { readonly kind: "writeError"; readonly host: string; readonly pathPart: string }
  | { readonly kind: "diskFull"; readonly host: string; readonly freeBytes: number }
  | { readonly kind: "readFlips"; readonly host: string; readonly probability: number };

/**
 * What happens to a leader that is hunted. cutHalf: it has one other node left · sever: cut off, and the others know at
 * once · hangUp: cut off, and clients have to connect again · stall: severed, and its writes take seconds · resets: all
 * connections break, everywhere.
 */
export type Blow =
  | "sever"
  | "cut"
  | "cutIn"
  | "cutOut"
  | "cutHalf"
  | "hangUp"
  | "stall"
  | "kill"
  | "pause"
  | "resets";

/** Whose leaders are hunted: those of the first partition, of the groups' own topic, or of the metadata. */
export type Prey = "partition" | "coordinator" | "metadata";

/** One direction between two hosts. */
export interface Cut {
  readonly from: string;
  readonly to: string;
}

/** Shapes of partitions, after Jepsen's nemeses; each is a list of directions that are cut. */
export const partitionShapes = [
  "one",
  "oneWayIn",
  "oneWayOut",
  "minority",
  "bridge",
  "ring",
  "clients",
  "everyone",
] as const;

export type PartitionShape = (typeof partitionShapes)[number];

/**
 * The directions that a shape cuts. `hosts` are the nodes in a random order, `clients` the hosts of clients.
 *
 * With one node only the shapes between it and its clients cut anything.
 */
export function cutsOf(
  shape: PartitionShape,
  { hosts, clients }: { readonly hosts: readonly string[]; readonly clients: readonly string[] },
): Cut[] {
  const [first = "", second = ""] = hosts;
  const others = hosts.filter((host) => host !== first);
  const both = (one: readonly string[], other: readonly string[]) => [
    ...between(one, other),
    ...between(other, one),
  ];
  switch (shape) {
    case "one":
      return both([first], [...others, ...clients]);
    case "oneWayIn":
      return between([...others, ...clients], [first]);
    case "oneWayOut":
      return between([first], [...others, ...clients]);
    case "minority":
      return both(
        hosts.slice(0, Math.floor((hosts.length - 1) / 2)),
        hosts.slice(Math.floor((hosts.length - 1) / 2)),
      );
    case "bridge": {
      // Two halves that only the first host can talk to.
      const half = Math.ceil(others.length / 2);
      return both(others.slice(0, half), others.slice(half));
    }
    case "ring":
      // Each host sees its neighbours only: every one of them a majority, and no two the same.
      return hosts.flatMap((from, at) =>
        hosts
          .filter(
            (_, to) => to !== at && ringDistance(at, to, hosts.length) > Math.floor(hosts.length / 4) + 1,
          )
          .map((to) => ({ from, to })),
      );
    case "clients":
      return both([first, second].filter(Boolean), clients);
    case "everyone":
      return between(hosts, hosts);
    default:
      return shape satisfies never;
  }
}

function between(from: readonly string[], to: readonly string[]): Cut[] {
  return from.flatMap((one) =>
    to.filter((other) => other !== one).map((other) => ({ from: one, to: other })),
  );
}

function ringDistance(one: number, other: number, count: number): number {
  const distance = Math.abs(one - other);
  return Math.min(distance, count - distance);
}
