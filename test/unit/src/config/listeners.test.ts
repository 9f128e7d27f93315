import { describe, expect, test } from "vitest";
import {
  formatListener,
  type Listeners,
  type ListenerTexts,
  resolveListeners,
} from "#src/config/listeners.ts";

const defaultMap = "SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT";

describe("listeners", () => {
  test("are taken with a name, IPv4, IPv6, host name or no host", () => {
    const items = ["PLAINTEXT://127.0.0.1:9092", "b://[::1]:9093", "C://host-1.example_x:9094", "D://:0"];
    const { listeners } = resolve({
      listeners: items,
      protocolMap: "PLAINTEXT:PLAINTEXT,B:PLAINTEXT,C:PLAINTEXT,D:PLAINTEXT",
    });
    expect(listeners.client.map(({ name, host, port }) => [name, host, port])).toEqual([
      ["PLAINTEXT", "127.0.0.1", 9092],
      ["B", "::1", 9093],
      ["C", "host-1.example_x", 9094],
      ["D", "", 0],
    ]);
  });

  test.each([
    "PLAINTEXT",
    "PLAINTEXT://",
    "PLAINTEXT://x",
    "PLAINTEXT://x:-1",
    "PLAINTEXT://x:65536",
    "://x:1",
    "PLAINTEXT://::1:9092",
  ])("%s is refused", (item) => {
    expect(resolve({ listeners: [item] }).problems).toEqual([
      `Cannot use "${item}" of listeners: it is not of the form NAME://host:port`,
    ]);
  });

  test("need a protocol in the map", () => {
    expect(resolve({ listeners: ["EXTERNAL://x:1"] }).problems).toEqual([
      'Cannot use "EXTERNAL://x:1" of listeners: listener.security.protocol.map has no protocol for "EXTERNAL"',
    ]);
  });

  test("other than PLAINTEXT are a clear problem", () => {
    expect(resolve({ listeners: ["PLAINTEXT://:1", "SSL://:2", "SASL_SSL://:3"] }).problems).toEqual([
      'Cannot open "SSL://:2": SSL is not served yet, only PLAINTEXT is',
      'Cannot open "SASL_SSL://:3": SASL_SSL is not served yet, only PLAINTEXT is',
    ]);
  });

  test("may not share a name or an address; any free port may be asked for twice", () => {
    const protocolMap = "A:PLAINTEXT,B:PLAINTEXT";
    expect(resolve({ listeners: ["A://:0", "B://:0"], protocolMap }).problems).toEqual([]);
    expect(resolve({ listeners: ["A://:1", "B://:1"], protocolMap }).problems).toEqual([
      'Cannot open "B://:1": another listener has the same address',
    ]);
    expect(resolve({ listeners: ["A://:1", "a://:2"], protocolMap }).problems).toEqual([
      'Cannot open two listeners named "A"',
    ]);
  });
});

describe("a controller's listener", () => {
  test("is not opened for clients, and needs no entry in the default map", () => {
    const { listeners, problems } = resolve({
      listeners: ["PLAINTEXT://:1", "CONTROLLER://:2"],
      controllerNames: ["CONTROLLER"],
    });
    expect(problems).toEqual([]);
    expect(listeners.client.map(({ name }) => name)).toEqual(["PLAINTEXT"]);
    expect(listeners.controller.map(({ name }) => name)).toEqual(["CONTROLLER"]);
    expect(listeners.advertised.map(({ name }) => name)).toEqual(["PLAINTEXT"]);
  });

  test("may be protected, since it is not served", () => {
    const texts = { listeners: ["PLAINTEXT://:1", "SSL://:2"], controllerNames: ["SSL"] };
    expect(resolve(texts).problems).toEqual([]);
  });

  test("alone serves nobody", () => {
    expect(resolve({ listeners: ["CONTROLLER://:2"], controllerNames: ["CONTROLLER"] }).problems).toEqual([
      "Cannot serve clients: every one of listeners is named in controller.listener.names",
    ]);
  });
});

describe("advertised listeners", () => {
  test("are the listeners themselves, with the machine's name where they are on every address", () => {
    const { listeners } = resolve({ listeners: ["PLAINTEXT://:9092"] });
    expect(listeners.advertised).toMatchObject([{ name: "PLAINTEXT", host: "machine", port: 9092 }]);
  });

  test("must name a listener and a host that clients can connect to", () => {
    const listeners = ["PLAINTEXT://0.0.0.0:9092"];
    expect(resolve({ listeners }).problems).toEqual([
      'Cannot advertise "PLAINTEXT://0.0.0.0:9092": no client can connect to that address; set advertised.listeners',
    ]);
    expect(resolve({ listeners, advertisedListeners: ["SSL://x:1", "PLAINTEXT://:2"] }).problems).toEqual([
      'Cannot advertise "SSL://x:1": listeners has no listener of this name',
      'Cannot advertise "PLAINTEXT://:2": it names no host',
    ]);
  });

  test("include the one between brokers", () => {
    expect(resolve({ listeners: ["PLAINTEXT://:1"], interBrokerName: "REPLICATION" }).problems).toEqual([
      'Cannot use inter.broker.listener.name "REPLICATION": no advertised listener has this name',
    ]);
  });
});

test("a broken protocol map is a problem", () => {
  expect(resolve({ listeners: ["A://:1"], protocolMap: "A:PLAINTEXT, B, C:TLS" }).problems).toEqual([
    'Cannot use "B" of listener.security.protocol.map: it is not NAME:PROTOCOL',
    'Cannot use "C:TLS" of listener.security.protocol.map: it is not NAME:PROTOCOL',
  ]);
});

test("a listener is written as it is read", () => {
  expect(formatListener({ name: "A", host: "::1", port: 1 })).toBe("A://[::1]:1");
  expect(formatListener({ name: "A", host: "", port: 1 })).toBe("A://:1");
});

function resolve(texts: Partial<ListenerTexts>): { listeners: Listeners; problems: string[] } {
  const problems: string[] = [];
  const listeners = resolveListeners(
    {
      listeners: [],
      advertisedListeners: [],
      protocolMap: defaultMap,
      isProtocolMapSet: texts.protocolMap !== undefined,
      controllerNames: [],
      isBroker: true,
      interBrokerName: null,
      hostName: "machine",
      ...texts,
    },
    problems,
  );
  return { listeners, problems };
}
