import { describe, expect, test } from "vitest";
import type { Listener } from "#src/config/listeners.ts";
import { type QuorumTexts, resolveQuorum } from "#src/config/quorum.ts";

const controller: Listener = {
  name: "CONTROLLER",
  host: "127.0.0.1",
  port: 9093,
  securityProtocol: "PLAINTEXT",
};
const client: Listener = { name: "PLAINTEXT", host: "", port: 9092, securityProtocol: "PLAINTEXT" };
const threeVoters = ["1@127.0.0.1:9093", "2@[::1]:9095", "3@c.example:9097"];

function resolve(texts: Partial<QuorumTexts>) {
  const problems: string[] = [];
  const quorum = resolveQuorum(
    {
      nodeId: 1,
      roles: ["broker", "controller"],
      voters: [],
      bootstrapServers: [],
      controllerListeners: [controller],
      controllerListener: { name: "CONTROLLER", securityProtocol: "PLAINTEXT" },
      clientListeners: [client],
      advertisedListeners: [{ ...client, host: "broker.example" }],
      hostName: "machine",
      tlsOf: () => undefined,
      ...texts,
    },
    problems,
  );
  return { quorum, problems };
}

describe("a quorum", () => {
  test("of several voters makes a node one of a cluster", () => {
    const { quorum, problems } = resolve({ voters: threeVoters });
    expect(problems).toEqual([]);
    expect(quorum).toEqual({
      voters: [
        { nodeId: 1, host: "127.0.0.1", port: 9093 },
        { nodeId: 2, host: "::1", port: 9095 },
        { nodeId: 3, host: "c.example", port: 9097 },
      ],
      servers: [],
      listener: controller,
      host: "127.0.0.1",
      tls: undefined,
    });
  });

  test("is joined by a broker, whose listener for the others is its own or any free port", () => {
    const texts = { voters: threeVoters, roles: ["broker"], nodeId: 4 };
    const { quorum, problems } = resolve({ ...texts, controllerListeners: [] });
    expect(problems).toEqual([]);
    expect(quorum?.listener).toEqual({ ...client, name: "CONTROLLER", port: 0 });
    expect(quorum?.host).toBe("broker.example");
    expect(resolve(texts).quorum).toMatchObject({ listener: controller, host: "127.0.0.1" });
  });

  test.each([
    { bootstrapServers: ["a:1", "b:1"] },
    { bootstrapServers: ["elsewhere:9093"] },
    { bootstrapServers: ["localhost:9093"], roles: ["controller"] },
    { bootstrapServers: ["localhost:9095"] },
  ])("of %j has to be asked for", (texts) => {
    const { quorum, problems } = resolve(texts);
    expect(problems).toEqual([]);
    expect(quorum?.voters).toEqual([]);
    expect(quorum?.servers).toHaveLength(texts.bootstrapServers.length);
  });

  test("of one is a cluster where the one is a controller alone", () => {
    const { quorum, problems } = resolve({ voters: ["1@127.0.0.1:9093"], roles: ["controller"] });
    expect(problems).toEqual([]);
    expect(quorum?.voters).toHaveLength(1);
  });

  test.each([{ voters: [] }, { voters: ["1@127.0.0.1:9093"] }, { bootstrapServers: ["localhost:9093"] }])(
    "of %j leaves a node alone",
    (texts) => {
      expect(resolve(texts)).toEqual({ quorum: undefined, problems: [] });
    },
  );

  test.each([
    [
      { voters: threeVoters, nodeId: 4 },
      "Cannot start controller 4: controller.quorum.voters does not name it; with process.roles=broker it can join as a broker",
    ],
    [
      { voters: ["2@h:1"] },
      "Cannot start controller 1: controller.quorum.voters does not name it; with process.roles=broker it can join as a broker",
    ],
    [
      { roles: ["broker"] },
      "Cannot start node 1 with process.roles=broker: neither controller.quorum.voters nor controller.quorum.bootstrap.servers names a controller",
    ],
    [
      { roles: ["controller"] },
      "Cannot start node 1 with process.roles=controller: neither controller.quorum.voters nor controller.quorum.bootstrap.servers names a controller",
    ],
    [{ voters: threeVoters, roles: ["broker"] }, 'Cannot start voter 1: its process.roles lack "controller"'],
    [{ voters: ["1@h:1", "1@h:2"] }, "Cannot use controller.quorum.voters: it names node 1 twice"],
    [{ voters: ["1@h:1", "2@h:1"] }, "Cannot use controller.quorum.voters: two nodes have the address h:1"],
    [
      { voters: threeVoters, controllerListeners: [] },
      "Cannot reach the other voters: listeners has none of those that controller.listener.names names",
    ],
    [
      {
        voters: threeVoters,
        controllerListeners: [{ ...controller, securityProtocol: "SASL_SSL" as const }],
      },
      'Cannot open listener "CONTROLLER": SASL_SSL is not served between nodes, PLAINTEXT and SSL are',
    ],
  ])("refuses %j", (texts, problem) => {
    expect(resolve(texts).problems).toEqual([problem]);
  });
});
