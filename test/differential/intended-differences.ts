import type { Difference } from "./compare.ts";

/** One way in which Millrace means to differ from Apache Kafka. */
export interface IntendedDifference {
  readonly title: string;
  /** Why, for docs/differences.md: whole sentences. */
  readonly why: string;
  /** Kafka's names of the APIs where it shows; all unless given. */
  readonly apis?: readonly string[];
  readonly versions?: readonly [min: number, max: number];
  readonly scenario?: RegExp;
  readonly path: RegExp;
  readonly holds?: (difference: Difference) => boolean;
}

/** All of them; one that no longer shows fails the test too. */
export const intendedDifferences: readonly IntendedDifference[] = [];

/** Where a difference was seen. */
export interface Place {
  readonly api: string;
  readonly version: number;
  readonly scenario: string;
}

/** The entry that a difference falls under. */
export function intentOf(difference: Difference, place: Place): IntendedDifference | undefined {
  return intendedDifferences.find(
    ({ apis, versions: [min, max] = [0, 99], scenario, path, holds }) =>
      (apis?.includes(place.api) ?? true) &&
      place.version >= min &&
      place.version <= max &&
      (scenario?.test(place.scenario) ?? true) &&
      path.test(difference.path) &&
      (holds?.(difference) ?? true),
  );
}
