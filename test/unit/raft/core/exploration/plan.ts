import { randomStream } from "./random.ts";

/** What can happen next; an action that does not apply in a state does nothing. */
export const actionKinds = [
  "deliver",
  "deliverAll",
  "converse",
  "partition",
  "heal",
  "drop",
  "duplicate",
  "tick",
  "completeWrite",
  "completeWrites",
  "propose",
  "crash",
  "restart",
  "changeMembership",
  "transfer",
  "read",
  "campaign",
  "force",
  "reign",
  "loseConnection",
  "release",
  "answerHost",
  "failHost",
  "wipe",
  "leave",
  "giveUp",
] as const;
export type ActionKind = (typeof actionKinds)[number];

/** One action with two numbers that say, modulo what there is, whom and what it is about. */
export interface Action {
  readonly kind: ActionKind;
  readonly a: number;
  readonly b: number;
}

/** All that makes a sequence: data, so that it can be cut down and run again. */
export interface Plan {
  readonly seed: number;
  readonly voterCount: number;
  /** Replicas that wait to be members. */
  readonly spareCount: number;
  /** Whether messages keep their order unless an action breaks it. */
  readonly isOrdered: boolean;
  /** Writes complete at once, as on a fast disk. */
  readonly isDiskFast: boolean;
  readonly recentBytesMax: number;
  /** Bytes of one append: one data entry of 10 bytes, or three. */
  readonly appendBytesMax: number;
  /** Entries that are committed everywhere before faults begin; 0: there is not even a leader. */
  readonly headStart: number;
  readonly actions: readonly Action[];
}

/** How often each kind comes, before a plan favours some of them. */
const weights: Readonly<Record<ActionKind, number>> = {
  deliver: 20,
  deliverAll: 6,
  converse: 16,
  partition: 3,
  heal: 2,
  drop: 4,
  duplicate: 3,
  tick: 8,
  completeWrite: 10,
  completeWrites: 5,
  propose: 10,
  crash: 2,
  restart: 4,
  changeMembership: 3,
  transfer: 2,
  read: 2,
  campaign: 2,
  force: 3,
  reign: 6,
  loseConnection: 1,
  release: 3,
  answerHost: 6,
  failHost: 1,
  wipe: 0.3,
  leave: 0,
  giveUp: 0,
};

/** The plan of a seed: what may happen is chosen first (swarm testing), then what happens. */
export function planOf(seed: number, actionCount: number): Plan {
  const random = randomStream(seed);
  const table = weightTable(random);
  const actions: Action[] = [];
  const voterCount = 3 + (random() % 3);
  const spareCount = random() % 3;
  const isOrdered = random() % 2 === 0;
  const isDiskFast = random() % 3 === 0;
  const recentBytesMax = random() % 2 === 0 ? 0 : 1_000;
  const appendBytesMax = random() % 2 === 0 ? 5 : 35;
  const headStart = random() % 5;
  // Drawn apart, so that all else of a seed is what it was before there were these.
  const rarely = randomStream(seed ^ 0x2545f491);
  const rareKind = ([undefined, "leave", "giveUp"] as const)[rarely() % 3];
  for (let i = 0; i < actionCount; i++) {
    const drawn = table[random() % table.length] ?? "tick";
    const kind = rareKind && rarely() % 8 === 0 ? rareKind : drawn;
    actions.push({ kind, a: random(), b: random() });
  }
  return {
    seed,
    voterCount,
    spareCount,
    isOrdered,
    isDiskFast,
    recentBytesMax,
    appendBytesMax,
    headStart,
    actions,
  };
}

const always: ReadonlySet<ActionKind> = new Set([
  "deliver",
  "deliverAll",
  "converse",
  "heal",
  "tick",
  "completeWrite",
  "completeWrites",
  "propose",
  "answerHost",
  "restart",
]);

function weightTable(random: () => number): ActionKind[] {
  const table: ActionKind[] = [];
  for (const kind of actionKinds) {
    if (weights[kind] === 0) continue;
    // A fault that comes all the time hides what needs its absence.
    const factor = always.has(kind) ? 1 : [0, 0, 1, 3][random() % 4];
    const count = Math.round(weights[kind] * (factor ?? 0) * 4);
    for (let i = 0; i < count; i++) table.push(kind);
  }
  return table;
}
