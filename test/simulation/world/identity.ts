import type { Identity } from "#src/runtime/identity.ts";
import type { Random } from "./random.ts";

/** Names from a seed. */
export function simulatedIdentity(random: Random): Identity {
  return {
    newUuid: () => `A${random.bytes(16).toString("base64url").slice(1)}`,
    newMemberSuffix: () => random.bytes(16).toString("hex"),
    newFraction: random.next,
  };
}
