import { type Configuration, votersOnly } from "#raft/core/configuration.ts";
import { changeDirectly, enterJoint, leaveJoint } from "#raft/core/membership.ts";
import { describeConfiguration } from "./describe.ts";
import { parseSteps } from "./scenario-runner.ts";
import { parseCommand } from "./transcript.ts";

/** Changes one configuration, which begins empty, step by step. */
export class MembershipRunner {
  #configuration: Configuration = votersOnly([]);

  /** The configuration after the command, or why it stays. */
  run(line: string): string {
    const { name, args, options } = parseCommand(line);
    const result = this.#next(name, args, options.get("auto-leave") === "true");
    if (typeof result === "string") return `refused: ${result}`;
    this.#configuration = result;
    return describeConfiguration(result);
  }

  #next(name: string, args: readonly string[], autoLeave: boolean) {
    switch (name) {
      case "simple":
        return changeDirectly(this.#configuration, parseSteps(args));
      case "enter-joint":
        return enterJoint(this.#configuration, parseSteps(args), autoLeave);
      case "leave-joint":
        return leaveJoint(this.#configuration);
      default:
        throw new Error(`Cannot run command "${name}": unknown`);
    }
  }
}
