import { expect, test } from "vitest";
import { resolvePeerTls } from "#src/config/peer-tls.ts";

const pemTypes = { "ssl.keystore.type": "PEM", "ssl.truststore.type": "PEM" };

function resolve(texts: Readonly<Record<string, string>>) {
  const problems: string[] = [];
  const all: Record<string, string> = {
    "ssl.endpoint.identification.algorithm": "https",
    ...pemTypes,
    ...texts,
  };
  return { tls: resolvePeerTls("CONTROLLER", (name) => all[name] ?? null, problems), problems };
}

test("keys and certificates are in files, or in the configs themselves", () => {
  expect(resolve({ "ssl.keystore.location": "/k.pem", "ssl.truststore.location": "/t.pem" })).toEqual({
    problems: [],
    tls: {
      keyStore: { kind: "file", path: "/k.pem" },
      keyPassword: undefined,
      trustStore: { kind: "file", path: "/t.pem" },
      verifiesHost: true,
    },
  });
  expect(
    resolve({
      "ssl.keystore.key": "key",
      "ssl.keystore.certificate.chain": "chain",
      "ssl.truststore.certificates": "authority",
      "ssl.key.password": "hush",
      "ssl.endpoint.identification.algorithm": "",
    }),
  ).toEqual({
    problems: [],
    tls: {
      keyStore: { kind: "inline", key: "key", certificateChain: "chain" },
      keyPassword: "hush",
      trustStore: { kind: "inline", certificates: "authority" },
      verifiesHost: false,
    },
  });
});

test.each<[Readonly<Record<string, string>>, string[]]>([
  [
    { "ssl.keystore.type": "JKS", "ssl.truststore.type": "PKCS12" },
    ["ssl.keystore.type is JKS, and only PEM is read", "ssl.truststore.type is PKCS12, and only PEM is read"],
  ],
  [
    {},
    [
      "neither ssl.keystore.location nor both ssl.keystore.key and ssl.keystore.certificate.chain",
      "neither ssl.truststore.location nor ssl.truststore.certificates",
    ],
  ],
  [
    { "ssl.keystore.key": "key", "ssl.truststore.location": "/t.pem" },
    ["neither ssl.keystore.location nor both ssl.keystore.key and ssl.keystore.certificate.chain"],
  ],
  [
    {
      "ssl.keystore.key": "key",
      "ssl.keystore.location": "/k.pem",
      "ssl.truststore.location": "/t.pem",
      "ssl.truststore.certificates": "c",
    },
    ["both ssl.keystore.location and a key", "both ssl.truststore.location and ssl.truststore.certificates"],
  ],
])("%j is refused in one line for each mistake", (texts, words) => {
  const { tls, problems } = resolve(texts);
  expect(tls).toBeUndefined();
  expect(problems).toHaveLength(words.length);
  for (const [at, part] of words.entries()) expect(problems[at]).toContain(part);
});
