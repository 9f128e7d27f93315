import { Random } from "../fuzz/random.ts";

/** Which node a strike hits, as of when it falls. */
export type Role = "leader" | "follower" | "controller" | "any";

/**
 * What is done to the cluster. kill: SIGKILL, started again later · stop: in order, started again · pause: SIGSTOP,
 * then SIGCONT · isolate: nothing passes between it and the others · mute: nothing that it sends arrives · deafen:
 * nothing that is sent to it arrives · cutPair: two of the three do not reach each other · scatter: nobody reaches
 * anybody · reset: all connections between nodes break once · fillDisk, breakDisk: the disk of one node.
 */
export type Strike =
  | {
      readonly kind: "kill" | "stop" | "pause" | "isolate" | "mute" | "deafen";
      readonly role: Role;
    }
  | {
      readonly kind:
        | "killTwo"
        | "killAll"
        | "pauseTwo"
        | "cutPair"
        | "scatter"
        | "reset"
        | "fillDisk"
        | "breakDisk";
    };

export interface PlannedStrike {
  readonly strike: Strike;
  readonly lastsMs: number;
  /** From this strike's begin to the next one's: they may overlap. */
  readonly nextAfterMs: number;
}

export interface Plan {
  readonly strikes: readonly PlannedStrike[];
  /** Journals so small that a node that was away needs what they have forgotten. */
  readonly hasSmallJournals: boolean;
  readonly recordBytes: number;
}

const kinds: readonly Strike["kind"][] = [
  ...(["kill", "kill", "kill", "kill", "stop", "pause", "pause", "pause", "isolate", "isolate"] as const),
  ...(["mute", "deafen", "cutPair", "scatter", "reset", "killTwo", "killAll", "pauseTwo"] as const),
  ...(["fillDisk", "breakDisk"] as const),
];
const diskKinds: ReadonlySet<Strike["kind"]> = new Set(["fillDisk", "breakDisk"]);
const roles: readonly Role[] = ["leader", "leader", "controller", "follower", "any"];

/** The strikes of a seed. The first seconds of a plan are the same however long it is. */
export function planOf(
  seed: number,
  { durationMs, hasDisk }: { durationMs: number; hasDisk: boolean },
): Plan {
  const random = new Random(seed);
  const hasSmallJournals = random.below(2) === 0;
  const recordBytes = random.pick([64, 512, 3_000]);
  const strikes: PlannedStrike[] = [];
  for (let atMs = 0; atMs < durationMs; ) {
    const drawn = { kind: random.pick(kinds), role: random.pick(roles) };
    // Below an election's timeout, about as long, longer than a session.
    const lastsMs = random.pick([
      200 + random.below(600),
      1_000 + random.below(1_500),
      4_000 + random.below(4_000),
    ]);
    const quietMs = random.pick([0, 500, 1_500]) + random.below(1_000);
    const isOverlapped = random.below(5) === 0;
    const nextAfterMs = isOverlapped ? Math.floor(lastsMs / 2) : lastsMs + quietMs;
    if (diskKinds.has(drawn.kind) && !hasDisk) continue;
    strikes.push({ strike: drawn as Strike, lastsMs, nextAfterMs });
    atMs += nextAfterMs;
  }
  return { strikes, hasSmallJournals, recordBytes };
}

/** A strike in words. */
export function describeStrike({ strike, lastsMs }: PlannedStrike): string {
  const role = roleOf(strike);
  return `${strike.kind}${role ? ` ${role}` : ""} for ${lastsMs} ms`;
}

/** The role that a strike aims at; undefined for those that choose by themselves. */
export function roleOf(strike: Strike): Role | undefined {
  const aimed = ["kill", "stop", "pause", "isolate", "mute", "deafen"];
  return aimed.includes(strike.kind) && "role" in strike ? strike.role : undefined;
}
