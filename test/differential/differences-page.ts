import { intendedDifferences } from "./intended-differences.ts";

/** docs/differences.md as text. */
export function differencesPage(): string {
  const sections = intendedDifferences.map(({ title, why, apis }) => {
    const where = apis ? `\n\nSeen in: ${apis.join(", ")}.` : "";
    return `## ${title}\n\n${wrapped(why)}${where}\n`;
  });
  return `${introduction}\n${sections.join("\n")}\n${ofSeveralNodes}`;
}

const introduction = `# Where Millrace differs from Apache Kafka on purpose

Generated from the list of the differential test (\`node test/differential/write-docs.ts\`). That test sends each
request of each served version, valid, odd and wrong ones, to Apache Kafka 4.3.1 and to Millrace, compares the
answers field by field, and fails at each difference that does not fall under one of these, and at each of
these that no longer shows. Ids, ports, times, the number of the first leader epoch (0 in Kafka, 1 here: a Raft
term) and the words of messages are given names before they are compared.
`;

/** What a comparison of one node with one node cannot show. */
const ofSeveralNodes = `## Among several nodes

Not compared by a test, but meant so:

- **No unclean election.** Raft never lets a replica lead that lacks committed records. ElectLeaders of the unclean kind
  answers ELECTION_NOT_NEEDED where there is a leader, else ELIGIBLE_LEADERS_NOT_AVAILABLE: the partition is led again once
  a majority of its replicas is back. \`unclean.leader.election.enable\` has no effect.
- **Leadership has no controller.** A preferred election is a transfer by whoever leads the partition; it is refused with
  PREFERRED_LEADER_NOT_AVAILABLE for a replica that is behind, and for a node that is in maintenance.
- **UnregisterBroker wants an empty broker.** It must be fenced and hold no replicas, else INVALID_REQUEST; Kafka forgets
  brokers that run.
- **DescribeQuorum counts entries.** Log end offset and high watermark are Raft indexes; a replica's time of its last fetch
  is when the leader heard of it last, to half a second.
- **A node's state is a config.** \`millrace.node.state\` of a broker may be altered at any node, also while the one that is
  meant is down (decision 18).
`;

const lineWidth = 108;

function wrapped(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= lineWidth) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines.join("\n");
}
