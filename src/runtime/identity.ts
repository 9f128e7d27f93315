import { randomUUID } from "node:crypto";

/** Where new names come from; a simulator draws them from its seed. */
export interface Identity {
  /** A random UUID in Kafka's text form: 22 characters of URL-safe base64. */
  newUuid(): string;
  /** A random UUID in its usual text form, for member ids. */
  newMemberSuffix(): string;
  /** From 0 to below 1. */
  newFraction(): number;
}

/** Names from the system's randomness. */
export const systemIdentity: Identity = {
  newUuid() {
    // A leading "-" would read as a flag on command lines, so Kafka avoids it too.
    for (;;) {
      const text = Buffer.from(randomUUID().replaceAll("-", ""), "hex").toString("base64url");
      if (!text.startsWith("-")) return text;
    }
  },
  newMemberSuffix: () => randomUUID(),
  newFraction: () => Math.random(),
};
