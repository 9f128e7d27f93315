import type { Arguments } from "./arguments.ts";
import type { World } from "./world.ts";

/** Asks before something is lost, where somebody is there to answer and --yes was not given. */
export async function confirmLoss(given: Arguments, { terminal }: World, question: string): Promise<boolean> {
  if (given.has("yes") || !terminal.canAnswer) return true;
  if (await terminal.confirm(question)) return true;
  terminal.writeError("Nothing was changed\n");
  return false;
}
