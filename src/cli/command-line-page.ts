import { allCommands, type CommandTree } from "./command-lookup.ts";
import { commandHelp, programHelp } from "./help.ts";

const introduction = `# The command line

Generated from the commands (\`node src/cli/write-docs.ts\`).

\`millrace\` starts a broker, and works with it and with any other Kafka cluster. In a project that has the package it is
\`npx millrace\`; in a clone, too. It brings its own Node 24 where npm installs optional packages.

\`\`\`sh
npx millrace start --log.dirs=/var/lib/millrace &
echo hello | npx millrace produce greetings
npx millrace consume greetings --from-beginning
\`\`\`

- **Where to.** \`--bootstrap-server\` or \`KAFKA_BOOTSTRAP_SERVERS\`; else 127.0.0.1:9092. Connections are plain text so far.
- **Results and talk are apart.** Results go to standard output; problems, progress and summaries to standard error.
  Progress is drawn only on a terminal.
- **\`--json\`** prints one document, and lines of JSON from \`consume\` and \`dump-log\`. \`produce --format json\` takes what
  \`consume --json\` prints.
- **Colour** where the terminal has it; \`NO_COLOR\` turns it off, \`FORCE_COLOR\` on.
- **Exit codes.** 0 success, 1 failure, 2 misuse (one line says what is wrong), 130 interrupted. Ctrl-C is the ordinary end
  of \`consume\`: offsets are stored, the group is left, and the code is 0.
- **Completion.** \`eval "$(millrace completion bash)"\`; it knows topics and groups of the cluster.
- **As a service** run \`node_modules/.bin/millrace start\`, or \`millrace start\` of a global installation: it ends in order on
  SIGTERM. \`npx\` does not pass signals on to what it runs; Ctrl-C in a terminal reaches both.

\`millrace start\` takes the configs of [configuration.md](configuration.md) as flags, as \`npm start --\` does.
\`--local-cluster\` makes it three brokers to try a cluster with. \`--cores N\` makes it N brokers, one for each core, under
one supervisor: node ids and ports count up from the first one's, each node's data is in \`node-<id>\` below \`log.dirs\`, and
all have the host's name as their rack, so that no two replicas of a partition share a host where there are several.
With several hosts, name the voters of all in \`controller.quorum.voters\`. A node that dies is started again.
`;

/** docs/command-line.md: how the command behaves, and every command's own help. */
export function commandLinePage(tree: CommandTree): string {
  const sections = allCommands(tree)
    .filter(({ takesRawWords }) => !takesRawWords)
    .map((command) => section(`millrace ${command.name}`, commandHelp(command, false)));
  return [introduction, section("millrace", programHelp(tree, false)), ...sections].join("\n");
}

function section(title: string, help: string): string {
  return `## ${title}\n\n\`\`\`\n${help.trimEnd()}\n\`\`\`\n`;
}
