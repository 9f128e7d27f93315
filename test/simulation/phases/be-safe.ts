import { FaultSchedule } from "../plan/fault-schedule.ts";
import type { Run } from "../run.ts";

/** The phase of faults: anything may go wrong, nothing may be lost. */
export async function beSafe(run: Run): Promise<boolean> {
  const { plan, clients } = run;
  clients.engage();
  const faults = scheduleOf(run);
  for (const fault of plan.faults) faults.add(fault);
  for (const client of clients.engaged) client.start();
  await run.pass(plan.safetyMs * 1_000);
  faults.end();
  return !run.isHopeless;
}

function scheduleOf({ world, cluster, marks, leaderships }: Run): FaultSchedule {
  const { scheduler, network, streams } = world;
  const random = streams.stream("strikes");
  return new FaultSchedule({ scheduler, network, nodes: cluster.nodes, marks, leaderships, random });
}
