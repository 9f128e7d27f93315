import { expect, test } from "vitest";
import { parseHostPort } from "#src/config/host-port.ts";
import { loadBrokerConfig } from "#src/config/load-broker-config.ts";

test.each([
  ["127.0.0.1:9644", { host: "127.0.0.1", port: 9644 }],
  ["broker-1.example:0", { host: "broker-1.example", port: 0 }],
  [":9644", { host: "", port: 9644 }],
  ["[::1]:9644", { host: "::1", port: 9644 }],
])("%s is an address", (text, expected) => {
  expect(parseHostPort(text)).toEqual(expected);
});

test.each([
  "9644",
  "localhost",
  "localhost:",
  "localhost:65536",
  "::1:9644",
  "http://localhost:1",
  "a b:1",
  "",
])("%j is none", (text) => {
  expect(parseHostPort(text)).toBeUndefined();
});

function load(listener?: string) {
  const args = listener === undefined ? [] : [`--millrace.http.listener=${listener}`];
  return loadBrokerConfig({ args, environment: {}, readFile: () => "" });
}

test("the status pages have a default that gives way, an explicit address that does not, and can be off", () => {
  const listenerOf = (text?: string) => {
    const loaded = load(text);
    return loaded.kind === "config" ? loaded.config.httpListener : loaded;
  };
  expect(listenerOf()).toEqual({ host: "127.0.0.1", port: 9644, isExplicit: false });
  expect(listenerOf("127.0.0.1:9644")).toEqual({ host: "127.0.0.1", port: 9644, isExplicit: true });
  expect(listenerOf("off")).toBeUndefined();
});

test("anything else is a problem that names the config", () => {
  expect(load("on")).toEqual({
    kind: "problems",
    problems: [expect.stringContaining("millrace.http.listener")],
  });
});
