import { decodeResponseFrame, encodeRequestFrame } from "#protocol/frame.ts";
import type { Api, RequestInput, ResponseOutput } from "#protocol/schema/api.ts";
import { RawConnection } from "./bad-input/raw-connection.ts";

/** One request on a connection of its own, answered or thrown. */
export async function ask<A extends Api>(
  bootstrapServers: string,
  api: A,
  { version, request }: { version: number; request: RequestInput<A> },
): Promise<ResponseOutput<A>> {
  await using connection = await RawConnection.open(bootstrapServers);
  connection.write(encodeRequestFrame(request, { api, version, correlationId: 1, clientId: "test" }));
  return decodeResponseFrame(await connection.response(), { api, version }).response;
}
