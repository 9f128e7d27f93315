import type { SupervisorVoice } from "./supervisor.ts";

/** Sentences for a person at a terminal. */
export function plainVoice(write: (line: string) => void): SupervisorVoice {
  return {
    allServe: (serving) => {
      write(`A cluster of ${serving.length} nodes serves:`);
      for (const { node, pid } of serving) {
        write(`  node ${node.nodeId}  ${node.addresses.join(",")}  pid ${pid}  data in ${node.logDirectory}`);
      }
      write(`Bootstrap servers: ${serving.flatMap(({ node }) => node.addresses).join(",")}`);
      write("Ctrl-C stops all nodes; a node that dies is started again");
    },
    serves: (node, pid) => write(`Node ${node.nodeId} serves again, pid ${pid}`),
    ended: (node, { code, signal }, restartMs) =>
      write(
        `Node ${node.nodeId} ended (${signal ?? `exit code ${code}`}) and starts again in ${restartMs} ms`,
      ),
    refused: (node, { code, signal }) =>
      write(`Cannot start node ${node.nodeId} (${signal ?? `exit code ${code}`}): all nodes end`),
    stopping: () => write("Stopping all nodes"),
    line: (node, text) => write(`Node ${node.nodeId}: ${sentenceOf(text)}`),
  };
}

/** What a log line says, without what only machines want; a line of another kind as it is. */
function sentenceOf(line: string): string {
  const entry = parse(line);
  if (typeof entry?.msg !== "string") return line;
  const { err, msg } = entry;
  const cause = typeof err === "object" && err !== null && "message" in err ? String(err.message) : msg;
  return cause === msg ? msg : `${msg}: ${cause}`;
}

function parse(line: string): { readonly msg?: unknown; readonly err?: unknown } | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === "object" && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}
