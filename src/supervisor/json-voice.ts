import type { Logger } from "pino";
import type { SupervisorVoice } from "./supervisor.ts";

/** One stream of log lines for all nodes: each line of a node gets its id as `node`, and stays JSON where it is. */
export function jsonVoice(logger: Logger, write: (line: string) => void): SupervisorVoice {
  return {
    allServe: (serving) => {
      const nodes = serving.map(({ node, pid }) => ({ node: node.nodeId, pid, addresses: node.addresses }));
      logger.info({ nodes }, "all nodes serve");
    },
    serves: (node, pid) => logger.info({ node: node.nodeId, pid }, "a node serves again"),
    ended: (node, end, restartMs) =>
      logger.error({ node: node.nodeId, ...end, restartMs }, "a node ended and will be started again"),
    refused: (node, end) => logger.fatal({ node: node.nodeId, ...end }, "a node cannot start: all end"),
    stopping: () => logger.info("stopping all nodes"),
    line: (node, text) =>
      write(
        text.startsWith("{") ? `{"node":${node.nodeId},${text.slice(1)}` : `node ${node.nodeId}: ${text}`,
      ),
  };
}
