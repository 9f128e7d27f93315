/** Where a node's key and certificates are: PEM in files, or in the configs themselves. */
export type KeyStore =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "inline"; readonly key: string; readonly certificateChain: string };

/** The authority that all nodes' certificates are signed by. */
export type TrustStore =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "inline"; readonly certificates: string };

/** How connections between nodes are protected: both sides show a certificate. */
export interface PeerTlsConfig {
  readonly keyStore: KeyStore;
  /** Of an encrypted key. */
  readonly keyPassword: string | undefined;
  readonly trustStore: TrustStore;
  /** Whether the certificate of a node that is connected to must name the host that it is reached at. */
  readonly verifiesHost: boolean;
}

/** The prefix under which a listener has configs of its own. */
export function listenerPrefix(listenerName: string): string {
  return `listener.name.${listenerName.toLowerCase()}.`;
}

/**
 * Reads the `ssl.` configs of a listener through `textOf`, as Kafka names them; each problem is added to `problems`.
 * Only PEM is read (KIP-651): JKS and PKCS12 are Java's.
 */
export function resolvePeerTls(
  listenerName: string,
  textOf: (name: string) => string | null,
  problems: string[],
): PeerTlsConfig | undefined {
  const problemsBefore = problems.length;
  for (const name of ["ssl.keystore.type", "ssl.truststore.type"]) {
    const type = textOf(name) ?? "";
    if (type.toUpperCase() === "PEM") continue;
    problems.push(
      `Cannot open listener "${listenerName}": ${name} is ${type}, and only PEM is read; keytool and openssl convert to it`,
    );
  }
  if (problems.length > problemsBefore) return undefined;
  const keyStore = keyStoreOf(listenerName, textOf, problems);
  const trustStore = trustStoreOf(listenerName, textOf, problems);
  if (!keyStore || !trustStore) return undefined;
  return {
    keyStore,
    keyPassword: textOf("ssl.key.password") ?? undefined,
    trustStore,
    verifiesHost: (textOf("ssl.endpoint.identification.algorithm") ?? "") !== "",
  };
}

function keyStoreOf(
  listenerName: string,
  textOf: (name: string) => string | null,
  problems: string[],
): KeyStore | undefined {
  const path = textOf("ssl.keystore.location");
  const key = textOf("ssl.keystore.key");
  const certificateChain = textOf("ssl.keystore.certificate.chain");
  if (path !== null && (key !== null || certificateChain !== null)) {
    problems.push(
      `Cannot open listener "${listenerName}": it has both ssl.keystore.location and a key or certificates in the configs`,
    );
    return undefined;
  }
  if (path !== null) return { kind: "file", path };
  if (key !== null && certificateChain !== null) return { kind: "inline", key, certificateChain };
  problems.push(
    `Cannot open listener "${listenerName}": its protocol is SSL, and it has neither ssl.keystore.location nor both ssl.keystore.key and ssl.keystore.certificate.chain`,
  );
  return undefined;
}

function trustStoreOf(
  listenerName: string,
  textOf: (name: string) => string | null,
  problems: string[],
): TrustStore | undefined {
  const path = textOf("ssl.truststore.location");
  const certificates = textOf("ssl.truststore.certificates");
  if (path !== null && certificates === null) return { kind: "file", path };
  if (certificates !== null && path === null) return { kind: "inline", certificates };
  problems.push(
    path === null
      ? `Cannot open listener "${listenerName}": its protocol is SSL, and it has neither ssl.truststore.location nor ssl.truststore.certificates`
      : `Cannot open listener "${listenerName}": it has both ssl.truststore.location and ssl.truststore.certificates`,
  );
  return undefined;
}
