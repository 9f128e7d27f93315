import { expect, test } from "vitest";
import { formatAddress, parseAddress } from "#src/cli/client/address.ts";

test.each([
  ["localhost", { host: "localhost", port: 9092 }],
  ["10.0.0.1:19092", { host: "10.0.0.1", port: 19_092 }],
  ["[::1]:9093", { host: "::1", port: 9093 }],
  [" broker-1.example.org:1 ", { host: "broker-1.example.org", port: 1 }],
  ["", undefined],
  ["a:b", undefined],
  ["a:0", undefined],
  ["a:65536", undefined],
  ["http://a:1", undefined],
  ["a b", undefined],
])("%j as an address", (text, address) => {
  expect(parseAddress(text)).toEqual(address);
});

test("an address is printed as it is read", () => {
  for (const text of ["localhost:1", "[::1]:9093"]) {
    const address = parseAddress(text);
    expect(address && formatAddress(address)).toBe(text);
  }
});
