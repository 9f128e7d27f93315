/** A place where two answers differ; `undefined` is a thing that only the other has. */
export interface Difference {
  readonly path: string;
  readonly kafka: unknown;
  readonly millrace: unknown;
}

/**
 * Fields by which the elements of an array are told apart, so that their order does not matter.
 *
 * Of each group, the first that says something counts.
 */
const identities = [
  ["step"],
  ["name", "topic", "topicName", "topicId"],
  ["groupId"],
  ["memberId"],
  ["key"],
  ["resourceType"],
  ["resourceName"],
  ["partitionIndex", "partition", "index", "batchIndex"],
  ["apiKey"],
  ["nodeId", "brokerId"],
] as const;

/** Lists every field in which two trees differ. */
export function differencesOf(kafka: unknown, millrace: unknown, path = ""): Difference[] {
  if (Array.isArray(kafka) && Array.isArray(millrace)) return arrayDifferences(kafka, millrace, path);
  if (isObject(kafka) && isObject(millrace)) {
    const keys = new Set([...Object.keys(kafka), ...Object.keys(millrace)]);
    return [...keys].flatMap((key) =>
      differencesOf(kafka[key], millrace[key], path === "" ? key : `${path}.${key}`),
    );
  }
  return Object.is(kafka, millrace) ? [] : [{ path, kafka, millrace }];
}

function arrayDifferences(
  kafka: readonly unknown[],
  millrace: readonly unknown[],
  path: string,
): Difference[] {
  const left = byIdentity(kafka);
  const right = byIdentity(millrace);
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((identity) =>
    differencesOf(left.get(identity), right.get(identity), `${path}[${identity}]`),
  );
}

function byIdentity(elements: readonly unknown[]): Map<string, unknown> {
  const byKey = new Map<string, unknown>();
  elements.forEach((element, index) => {
    const name = identityOf(element) ?? String(index);
    let unique = name;
    for (let repeat = 2; byKey.has(unique); repeat++) unique = `${name} #${repeat}`;
    byKey.set(unique, element);
  });
  return byKey;
}

function identityOf(element: unknown): string | undefined {
  if (!isObject(element)) return undefined;
  const parts = identities.flatMap((group) => {
    const field = group.find(
      (name) => element[name] !== undefined && element[name] !== null && element[name] !== "",
    );
    return field === undefined ? [] : [String(element[field])];
  });
  if (parts.length > 0) return parts.join(" ");
  return "baseOffset" in element ? `offset ${element.baseOffset}` : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
