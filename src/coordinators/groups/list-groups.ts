import type { ListGroupsRequest } from "#protocol/messages/list-groups.ts";
import type { ListGroupsAnswer } from "./group-answers.ts";
import type { GroupShard } from "./group-shard.ts";

/** The type that all groups of this coordinator have (KIP-848 brought others). */
const groupType = "classic";

/** The shard's groups in the states and of the types asked for; names match in any case, an empty list matches all. */
export function listGroups(shard: GroupShard, request: ListGroupsRequest): ListGroupsAnswer["groups"] {
  if (!matches(request.typesFilter, groupType)) return [];
  return Array.from(shard.groups.values())
    .filter((group) => matches(request.statesFilter, group.state))
    .map((group) => ({
      groupId: group.id,
      protocolType: group.protocolType ?? "",
      groupState: group.state,
      groupType,
    }));
}

function matches(filter: readonly string[], value: string): boolean {
  return filter.length === 0 || filter.some((wanted) => wanted.toLowerCase() === value.toLowerCase());
}
