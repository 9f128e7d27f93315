import { readFileSync } from "node:fs";

/** A directive of etcd's own files: its lines, and what etcd printed. */
export interface EtcdDirective {
  readonly input: string;
  readonly output: readonly string[];
}

/** Reads one of etcd's files: comments, a directive of one or more lines, `----`, its output up to a blank line. */
export function readEtcdFile(path: string): EtcdDirective[] {
  const directives: EtcdDirective[] = [];
  let input: string[] = [];
  let output: string[] | undefined;
  for (const line of readFileSync(path, "utf8").split("\n")) {
    if (output) {
      if (line !== "") {
        output.push(line);
        continue;
      }
      directives.push({ input: input.join(" "), output });
      input = [];
      output = undefined;
    } else if (line === "----") {
      output = [];
    } else if (line !== "" && !line.startsWith("#")) {
      input.push(line);
    }
  }
  return directives;
}

/** A quorum directive in this project's words. */
export function quorumCommandOf(input: string): string {
  const list = (name: string) =>
    new RegExp(`${name}=\\(([^)]*)\\)`).exec(input)?.[1]?.replaceAll(",", " ") ?? "";
  const isVote = input.startsWith("vote");
  const answers = isVote ? `votes=(${list("votes")})` : `indexes=(${list("idx")})`;
  return `${isVote ? "vote" : "reached"} voters=(${list("cfg")}) outgoing=(${list("cfgj")}) ${answers}`;
}

/** What this project prints where etcd printed this. */
export function quorumResultOf(output: readonly string[]): string {
  const last = output.at(-1) ?? "";
  if (last.endsWith("∞")) return "Infinity";
  return last.replace("Vote", "").toLowerCase();
}

/** What this project prints for a configuration, or why there is none, where etcd printed this. */
export function configurationOf([first = ""]: readonly string[]): string {
  const refusals: Readonly<Record<string, string>> = {
    "config is already joint": "already-joint",
    "can't apply simple config change in joint config": "already-joint",
    "can't leave a non-joint config": "not-joint",
    "can't make a zero-voter config joint": "no-voters",
    "removed all voters": "no-voters",
    "more than one voter changed without entering joint config": "more-than-one-voter",
  };
  const refusal = refusals[first];
  if (refusal) return `refused: ${refusal}`;
  return first.replace("learners_next", "learners-next").replace("autoleave", "auto-leave");
}
