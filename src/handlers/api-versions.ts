import { ErrorCode } from "#protocol/error-codes.ts";
import {
  ApiVersions,
  type ApiVersionsRequest,
  type ApiVersionsResponse,
} from "#protocol/messages/api-versions.ts";
import type { AdvertisedApi, RequestContext } from "./request-context.ts";
import type { ServedBroker } from "./served-broker.ts";

/** What a client may call itself (KIP-511). */
const softwareName = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;

/** Tells which APIs and versions are served; a request of an unknown version learns which there are (KIP-511). */
export function apiVersions(
  _broker: ServedBroker,
  request: ApiVersionsRequest,
  context: RequestContext,
): ApiVersionsResponse {
  const apiKeys = context.advertised;
  if (context.apiVersion > ApiVersions.versions[1] || context.apiVersion < 0) {
    // All that it needs to ask again.
    return { errorCode: ErrorCode.unsupportedVersion, apiKeys: apiKeys.filter(isApiVersions) };
  }
  const named = context.apiVersion >= 3;
  const isNameValid =
    softwareName.test(request.clientSoftwareName) && softwareName.test(request.clientSoftwareVersion);
  if (named && !isNameValid) return { errorCode: ErrorCode.invalidRequest };
  return { errorCode: ErrorCode.none, apiKeys };
}

function isApiVersions({ apiKey }: AdvertisedApi): boolean {
  return apiKey === ApiVersions.key;
}
