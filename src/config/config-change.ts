import type { ConfigTexts } from "./effective-values.ts";

/** A change of configs that was refused, under the names of Kafka's errors. */
export interface ConfigRefusal {
  readonly kind: "refused";
  readonly error: "INVALID_CONFIG" | "INVALID_REQUEST";
  readonly message: string;
}

/** What becomes of a change: all texts that are set from now on, or why not. */
export type ConfigChange = { readonly kind: "changed"; readonly texts: ConfigTexts } | ConfigRefusal;

export function invalidConfig(message: string): ConfigRefusal {
  return { kind: "refused", error: "INVALID_CONFIG", message };
}

export function invalidRequest(message: string): ConfigRefusal {
  return { kind: "refused", error: "INVALID_REQUEST", message };
}
