import { api, type RequestOf, type ResponseOf } from "../schema/api.ts";
import { t } from "../schema/field.ts";

/** Finds the broker that coordinates a group, a transactional id or a share group. */
export const FindCoordinator = api({
  name: "FindCoordinator",
  key: 10,
  versions: [0, 6],
  flexibleFrom: 3,
  request: {
    key: t.string.until(3),
    keyType: t.int8.since(1), // KIP-98: 0 group, 1 transactional id, 2 share group (KIP-932).
    coordinatorKeys: t.array(t.string).since(4), // KIP-699.
  },
  response: {
    throttleTimeMs: t.int32.since(1).ignorable(),
    errorCode: t.errorCode.until(3),
    errorMessage: t.string.nullable().since(1).until(3).ignorable(),
    nodeId: t.int32.until(3),
    host: t.string.until(3),
    port: t.int32.until(3),
    // KIP-699.
    coordinators: t
      .array({
        key: t.string,
        nodeId: t.int32,
        host: t.string,
        port: t.int32,
        errorCode: t.errorCode,
        errorMessage: t.string.nullable().ignorable(),
      })
      .since(4),
  },
});

export type FindCoordinatorRequest = RequestOf<typeof FindCoordinator>;
export type FindCoordinatorResponse = ResponseOf<typeof FindCoordinator>;
