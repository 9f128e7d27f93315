import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { PeerTlsConfig } from "../config/peer-tls.ts";
import type { PeerTls } from "./peer-network.ts";

/** A key or certificate that cannot be used; the message names the config. */
export class PemError extends Error {
  constructor(name: string, reason: string, options?: ErrorOptions) {
    super(`Cannot use ${name}: ${reason}`, options);
    this.name = "PemError";
  }
}

/** Reads keys and certificates, from the disk where they are in files. @throws PemError */
export function readPeerTls(config: PeerTlsConfig): PeerTls {
  const { keyStore, trustStore, keyPassword, verifiesHost } = config;
  const keyPem =
    keyStore.kind === "file"
      ? {
          name: `ssl.keystore.location "${keyStore.path}"`,
          text: read("ssl.keystore.location", keyStore.path),
        }
      : { name: "ssl.keystore.key", text: keyStore.key };
  const chainPem =
    keyStore.kind === "file"
      ? keyPem
      : { name: "ssl.keystore.certificate.chain", text: keyStore.certificateChain };
  const trustPem =
    trustStore.kind === "file"
      ? {
          name: `ssl.truststore.location "${trustStore.path}"`,
          text: read("ssl.truststore.location", trustStore.path),
        }
      : { name: "ssl.truststore.certificates", text: trustStore.certificates };
  return {
    key: keyOf(keyPem, keyPassword),
    certificate: certificatesOf(chainPem),
    authority: certificatesOf(trustPem),
    verifiesHost,
  };
}

/** A config with its text, to be named in messages. */
interface Pem {
  readonly name: string;
  readonly text: string;
}

function read(name: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new PemError(`${name} "${path}"`, error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
}

function keyOf({ name, text }: Pem, password: string | undefined): string {
  const [block] = blocksOf(text, "PRIVATE KEY");
  if (block === undefined) throw new PemError(name, "it holds no private key in PEM");
  try {
    const key = createPrivateKey({ key: block, ...(password !== undefined && { passphrase: password }) });
    return key.export({ type: "pkcs8", format: "pem" }).toString();
  } catch (error) {
    throw new PemError(name, "its private key cannot be read, is ssl.key.password right?", { cause: error });
  }
}

function certificatesOf({ name, text }: Pem): string {
  const blocks = blocksOf(text, "CERTIFICATE");
  if (blocks.length === 0) throw new PemError(name, "it holds no certificate in PEM");
  for (const block of blocks) {
    try {
      new X509Certificate(block);
    } catch (error) {
      throw new PemError(name, "one of its certificates cannot be read", { cause: error });
    }
  }
  return blocks.join("");
}

/** The blocks of a kind, in their usual form: in a properties file they may stand on one line, with spaces for line ends. */
function blocksOf(text: string, kind: string): string[] {
  const blocks = text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----/g);
  return [...blocks].flatMap(([, label = "", body = ""]) => {
    if (!label.endsWith(kind)) return [];
    const lines = body.replaceAll(/\s/g, "").match(/.{1,64}/g) ?? [];
    return [`-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`];
  });
}
