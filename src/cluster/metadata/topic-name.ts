const legalName = /^[a-zA-Z0-9._-]{1,249}$/;

/** Whether Kafka takes the text as a topic's name. */
export function isValidTopicName(name: string): boolean {
  return legalName.test(name) && name !== "." && name !== "..";
}
