import { createPrivateKey } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PeerTlsConfig } from "#src/config/peer-tls.ts";
import { readPeerTls } from "#src/runtime/peer-tls-files.ts";
import { makeCertificates } from "../../../contracts/certificates.ts";

const certificates = makeCertificates();

describe.skipIf(!certificates)("keys and certificates", () => {
  const key = String(certificates?.key);
  const chain = String(certificates?.certificate);
  const authority = String(certificates?.authority);
  let directory = "";

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "millrace-pem-"));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  function file(text: string): string {
    const path = join(directory, "store.pem");
    writeFileSync(path, text);
    return path;
  }

  const inline = (changes: Partial<PeerTlsConfig> = {}): PeerTlsConfig => ({
    keyStore: { kind: "inline", key, certificateChain: chain },
    keyPassword: undefined,
    trustStore: { kind: "inline", certificates: authority },
    verifiesHost: true,
    ...changes,
  });

  test("are the same from one file, from the configs, and from configs on one line", () => {
    const fromConfigs = readPeerTls(inline());
    const path = file(`a comment\n${chain}${key}`);
    expect(readPeerTls(inline({ keyStore: { kind: "file", path } }))).toEqual(fromConfigs);
    const onOneLine = (text: string) => text.trim().replaceAll("\n", " ");
    const squeezed = inline({
      keyStore: { kind: "inline", key: onOneLine(key), certificateChain: onOneLine(chain) },
      trustStore: { kind: "inline", certificates: onOneLine(authority + chain) },
    });
    expect(readPeerTls(squeezed)).toEqual({ ...fromConfigs, authority: authority + chain });
    expect(fromConfigs.certificate).toBe(chain);
  });

  test("may be encrypted", () => {
    const encrypted = createPrivateKey(key)
      .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "hush" })
      .toString();
    const keyStore = { kind: "inline", key: encrypted, certificateChain: chain } as const;
    expect(readPeerTls(inline({ keyStore, keyPassword: "hush" }))).toEqual(readPeerTls(inline()));
    for (const keyPassword of ["wrong", undefined]) {
      expect(() => readPeerTls(inline({ keyStore, keyPassword }))).toThrow(
        "Cannot use ssl.keystore.key: its private key cannot be read, is ssl.key.password right?",
      );
    }
  });

  test("that are not there are named", () => {
    const missing = { kind: "file", path: join(directory, "missing.pem") } as const;
    expect(() => readPeerTls(inline({ keyStore: missing }))).toThrow(
      /ssl\.keystore\.location.*missing\.pem.*ENOENT/,
    );
    expect(() => readPeerTls(inline({ trustStore: missing }))).toThrow(/ssl\.truststore\.location.*ENOENT/);
    const keyless = { kind: "file", path: file(chain) } as const;
    expect(() => readPeerTls(inline({ keyStore: keyless }))).toThrow("it holds no private key in PEM");
    const empty = {
      kind: "inline",
      certificates: "-----BEGIN CERTIFICATE----- AAAA -----END CERTIFICATE-----",
    } as const;
    expect(() => readPeerTls(inline({ trustStore: empty }))).toThrow(
      "one of its certificates cannot be read",
    );
  });
});
