import type { Command } from "../command.ts";
import { jsonOption } from "./common-options.ts";

/** `millrace start`. */
export const start: Command = {
  name: "start",
  summary: "start a broker",
  positionals: [],
  options: [],
  takesRawWords: true,
  load: async () => (await import("../commands/start.ts")).start,
};

/** `millrace dump-log`. */
export const dumpLog: Command = {
  name: "dump-log",
  summary: "show and check segment, index and journal files",
  description: [
    "Takes files, or directories of them, and reads them as they are on the disk: *.log, *.index, *.timeindex and",
    "journal-*.log. Checks every checksum; damage is reported and makes the exit code 1.",
  ],
  positionals: [{ name: "FILE", takes: "some", completes: "file" }],
  options: [
    { name: "records", summary: "show the records of each batch, and of each journal frame" },
    { name: "quiet", short: "q", summary: "show only what each file comes to, and damage" },
    jsonOption,
  ],
  examples: [
    { says: "A partition's batches", line: "millrace dump-log data/orders-0" },
    { says: "Check all that is on the disk", line: "millrace dump-log --quiet data/*/" },
  ],
  load: async () => (await import("../commands/dump-log.ts")).dumpLog,
};

/** `millrace completion`. */
export const completion: Command = {
  name: "completion",
  summary: "print a script that teaches your shell to complete millrace's words",
  positionals: [{ name: "SHELL", takes: "one", completes: ["bash", "zsh", "fish"] }],
  options: [],
  examples: [
    { says: "bash, in ~/.bashrc", line: 'eval "$(millrace completion bash)"' },
    { says: "zsh, in ~/.zshrc after compinit", line: 'eval "$(millrace completion zsh)"' },
    { says: "fish", line: "millrace completion fish > ~/.config/fish/completions/millrace.fish" },
  ],
  load: async () => (await import("../commands/completion.ts")).completion,
};
