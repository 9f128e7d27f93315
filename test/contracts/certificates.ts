import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PeerTls } from "#src/runtime/peer-network.ts";

/** A certificate for 127.0.0.1 and localhost by an authority of its own; undefined where there is no openssl. */
export function makeCertificates(): PeerTls | undefined {
  const directory = mkdtempSync(join(tmpdir(), "millrace-certificates-"));
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: directory, stdio: "pipe" });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  try {
    openssl(
      "req",
      "-x509",
      ...newKey,
      "-keyout",
      "ca.key",
      "-out",
      "ca.pem",
      "-days",
      "2",
      "-subj",
      "/CN=authority",
    );
    openssl(
      ...[
        "req",
        "-x509",
        ...newKey,
        "-keyout",
        "node.key",
        "-out",
        "node.pem",
        "-days",
        "2",
        "-subj",
        "/CN=node",
      ],
      ...["-CA", "ca.pem", "-CAkey", "ca.key", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
    );
    const read = (name: string) => readFileSync(join(directory, name));
    return { key: read("node.key"), certificate: read("node.pem"), authority: read("ca.pem") };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      console.warn("Skipping what needs certificates: there is no openssl");
      return undefined;
    }
    throw error;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
