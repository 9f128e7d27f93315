import type { ClientPlan, Plan } from "./plan/plan.ts";

/** A part of a plan that can be left out. */
type Part =
  | { readonly kind: "fault"; readonly index: number }
  | { readonly kind: "client"; readonly name: string }
  | { readonly kind: "task"; readonly name: string; readonly index: number };

/** A plan with as little in it as still fails, and what it took to find that. */
export interface Shrunk {
  readonly plan: Plan;
  readonly runs: number;
}

/**
 * Leaves out of a plan whatever it fails without, by delta debugging: faults first, then whole clients, then their
 * tasks. The seed stays, so that what is left happens as it did.
 */
export async function shrink(
  plan: Plan,
  fails: (plan: Plan) => Promise<boolean>,
  { runsMax }: { readonly runsMax: number },
): Promise<Shrunk> {
  let runs = 0;
  let best = plan;
  const stillFails = async (candidate: Plan): Promise<boolean> => {
    if (runs >= runsMax) return false;
    runs += 1;
    return await fails(candidate);
  };
  for (const partsOf of [faultsOf, clientsOf, tasksOf]) {
    best = await withoutNeedless(best, partsOf(best), stillFails);
  }
  return { plan: best, runs };
}

/** Delta debugging (Zeller): tries to go without ever smaller pieces of the list. */
async function withoutNeedless(
  plan: Plan,
  parts: readonly Part[],
  fails: (plan: Plan) => Promise<boolean>,
): Promise<Plan> {
  let needed = [...parts];
  const planOf = (kept: readonly Part[]) =>
    without(plan, new Set(parts.filter((part) => !kept.includes(part))));
  for (let size = needed.length; size >= 1; ) {
    let isSmaller = false;
    for (let at = 0; at < needed.length; at += size) {
      const kept = [...needed.slice(0, at), ...needed.slice(at + size)];
      if (!(await fails(planOf(kept)))) continue;
      needed = kept;
      isSmaller = true;
      at -= size;
    }
    if (!isSmaller || size > 1) size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return planOf(needed);
}

function faultsOf({ faults }: Plan): Part[] {
  return faults.map((_, index) => ({ kind: "fault", index }));
}

function clientsOf({ clients }: Plan): Part[] {
  return clients.map(({ name }) => ({ kind: "client", name }));
}

function tasksOf({ clients }: Plan): Part[] {
  return clients.flatMap((client) => {
    const count = client.kind === "member" ? 0 : client.tasks.length;
    return Array.from({ length: count }, (_, index): Part => ({ kind: "task", name: client.name, index }));
  });
}

function without(plan: Plan, dropped: ReadonlySet<Part>): Plan {
  const faults = new Set<number>();
  const clients = new Set<string>();
  const tasks = new Set<string>();
  for (const part of dropped) {
    if (part.kind === "fault") faults.add(part.index);
    else if (part.kind === "client") clients.add(part.name);
    else tasks.add(`${part.name}/${part.index}`);
  }
  return {
    ...plan,
    faults: plan.faults.filter((_, index) => !faults.has(index)),
    clients: plan.clients
      .filter(({ name }) => !clients.has(name))
      .map((client) => withTasks(client, (index) => !tasks.has(`${client.name}/${index}`))),
  };
}

function withTasks(client: ClientPlan, isKept: (index: number) => boolean): ClientPlan {
  switch (client.kind) {
    case "producer":
      return { ...client, tasks: client.tasks.filter((_, index) => isKept(index)) };
    case "reader":
      return { ...client, tasks: client.tasks.filter((_, index) => isKept(index)) };
    case "admin":
      return { ...client, tasks: client.tasks.filter((_, index) => isKept(index)) };
    case "member":
      return client;
    default:
      return client satisfies never;
  }
}
