import type { Api, RequestInput } from "#protocol/schema/api.ts";
import type { Wire } from "./wire.ts";

/** Something that a client may do; run in each version of its API against both brokers. */
export interface Scenario {
  readonly api: Api;
  readonly name: string;
  readonly versions: readonly number[];
  run(wire: Wire): Promise<void>;
}

/** Versions to run; all that the API has unless given. */
export interface VersionBounds {
  readonly since?: number;
  readonly until?: number;
}

/** A scenario of several requests. */
export function scenario(
  api: Api,
  name: string,
  run: (wire: Wire) => Promise<unknown>,
  { since = 0, until = Number.POSITIVE_INFINITY }: VersionBounds = {},
): Scenario {
  const [min, newest] = api.versions;
  // An unstable newest version is not served by Kafka.
  const max = api.latestVersionUnstable ? newest - 1 : newest;
  const versions = Array.from({ length: max - min + 1 }, (_, index) => min + index);
  return {
    api,
    name,
    versions: versions.filter((version) => version >= since && version <= until),
    run: async (wire) => {
      await run(wire);
    },
  };
}

/** A request as it is, or made for the version and broker at hand. */
export type RequestMaker<A extends Api> =
  | RequestInput<A>
  | ((wire: Wire) => RequestInput<A> | Promise<RequestInput<A>>);

/** One scenario of one request per entry. */
export function requests<A extends Api>(
  api: A,
  table: Readonly<Record<string, RequestMaker<A>>>,
  bounds?: VersionBounds,
): Scenario[] {
  return Object.entries(table).map(([name, maker]) =>
    scenario(
      api,
      name,
      async (wire) => {
        const request = typeof maker === "function" ? await maker(wire) : maker;
        await wire.send("request", api, request as RequestInput<A>);
      },
      bounds,
    ),
  );
}
