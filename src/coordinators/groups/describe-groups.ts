import { ErrorCode } from "#protocol/error-codes.ts";
import type { ClassicGroup } from "./group.ts";
import type { DescribeGroupsAnswer } from "./group-answers.ts";
import type { GroupShard } from "./group-shard.ts";

type DescribedGroup = DescribeGroupsAnswer["groups"][number];

/** From here on a group that does not exist is an error (KIP-1043); before, it was one in state Dead. */
const notFoundFrom = 6;
/** "Not asked for": authorized operations are filled in by who knows the principal. */
const operationsUnknown = -(2 ** 31);

/** Describes one group; members' metadata only once it is settled who runs which protocol. */
export function describeGroup(shard: GroupShard, groupId: string, version: number): DescribedGroup {
  const group = shard.find(groupId);
  if (group) return describe(group);
  if (version < notFoundFrom) return describeNothing(groupId, ErrorCode.none);
  return {
    ...describeNothing(groupId, ErrorCode.groupIdNotFound),
    errorMessage: `Group ${groupId} not found.`,
  };
}

/** The answer for a group that cannot be described. */
export function describeNothing(groupId: string, errorCode: ErrorCode): DescribedGroup {
  return {
    errorCode,
    errorMessage: null,
    groupId,
    groupState: errorCode === ErrorCode.none || errorCode === ErrorCode.groupIdNotFound ? "Dead" : "",
    protocolType: "",
    protocolData: "",
    members: [],
    authorizedOperations: operationsUnknown,
  };
}

function describe(group: ClassicGroup): DescribedGroup {
  const isStable = group.state === "Stable";
  return {
    errorCode: ErrorCode.none,
    errorMessage: null,
    groupId: group.id,
    groupState: group.state,
    protocolType: group.protocolType ?? "",
    protocolData: isStable ? (group.protocolName ?? "") : "",
    members: Array.from(group.members.values(), (member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: isStable ? member.metadataFor(group.protocolName) : new Uint8Array(0),
      // What a member owns it goes on owning while the others come together.
      memberAssignment: member.assignment,
    })),
    authorizedOperations: operationsUnknown,
  };
}
