import { readFile, replaceFile, type SmallFileDisk } from "#storage/snapshots/small-file.ts";
import { formatVoter, parseVoter, type QuorumVoter } from "../../config/quorum.ts";

/** Who a data directory belongs to. */
export interface NodeIdentity {
  readonly nodeId: number;
  readonly clusterId: string;
  /** Of this very directory, as in Kafka (KIP-858); "" where the node was alone so far. */
  readonly directoryId: string;
  /** How often the directory was opened by a node of a cluster; 0 where the node was alone so far. */
  readonly generation?: number;
  /** How many disks the node had lost before it got this one. */
  readonly incarnation?: number;
  /** Who votes in the metadata group, with their addresses as of when they were learned; absent where none were. */
  readonly voters?: readonly QuorumVoter[];
}

/** A data directory that this node must not use. */
export class ForeignDirectoryError extends Error {
  constructor(directory: string, reason: string) {
    super(`Cannot use data directory "${directory}": ${reason}`);
    this.name = "ForeignDirectoryError";
  }
}

/** A node that was in service before has no journal any more. */
export class JournalLostError extends Error {
  constructor(directory: string) {
    super(
      `Cannot start on data directory "${directory}": its journal is missing, and with it what was acknowledged last`,
    );
    this.name = "JournalLostError";
  }
}

/** Kafka's own directory for its metadata: a sign that the data is Kafka's. */
const kafkaMetadataName = "__cluster_metadata-0";

const generationKey = "millrace.generation";
const incarnationKey = "millrace.incarnation";
const votersKey = "millrace.voters";

/** `meta.properties` of a data directory, in Kafka's form: it keeps a node from starting on another's data. */
export class NodeIdentityFile {
  readonly #disk: SmallFileDisk & { readonly files: SmallFileDisk["files"] };
  readonly #directory: string;

  constructor(disk: SmallFileDisk, directory: string) {
    this.#disk = disk;
    this.#directory = directory;
  }

  /** Undefined for a directory that nobody has used. @throws ForeignDirectoryError, DiskError */
  async load(nodeId: number): Promise<NodeIdentity | undefined> {
    if (await this.#disk.files.exists(`${this.#directory}/${kafkaMetadataName}`)) {
      throw new ForeignDirectoryError(this.#directory, "it holds the data of an Apache Kafka node");
    }
    const bytes = await readFile(this.#disk, this.#path);
    if (!bytes) return undefined;
    const properties = parse(new TextDecoder().decode(bytes));
    const storedId = Number(properties.get("node.id"));
    const clusterId = properties.get("cluster.id");
    if (!Number.isInteger(storedId) || clusterId === undefined) {
      throw new ForeignDirectoryError(this.#directory, "its meta.properties lacks node.id or cluster.id");
    }
    if (storedId !== nodeId) {
      throw new ForeignDirectoryError(
        this.#directory,
        `it belongs to node ${storedId}, and node.id is ${nodeId}`,
      );
    }
    const directoryId = properties.get("directory.id") ?? "";
    const generation = Number(properties.get(generationKey) ?? "0");
    const incarnation = Number(properties.get(incarnationKey) ?? "0");
    const voters = (properties.get(votersKey) ?? "").split(",").flatMap(parseVoter);
    return {
      ...{ nodeId, clusterId, directoryId },
      ...(directoryId !== "" && { generation }),
      ...(incarnation > 0 && { incarnation }),
      ...(voters.length > 0 && { voters }),
    };
  }

  /** @throws DiskError */
  async save({ nodeId, clusterId, directoryId, ...others }: NodeIdentity): Promise<void> {
    const { generation = 0, incarnation = 0, voters = [] } = others;
    const lines = ["version=1", `node.id=${nodeId}`, `cluster.id=${clusterId}`];
    if (directoryId !== "") lines.push(`directory.id=${directoryId}`, `${generationKey}=${generation}`);
    if (incarnation > 0) lines.push(`${incarnationKey}=${incarnation}`);
    if (voters.length > 0) lines.push(`${votersKey}=${voters.map(formatVoter).join(",")}`);
    const text = lines.map((line) => `${line}\n`).join("");
    await replaceFile(this.#disk, this.#path, new TextEncoder().encode(text));
  }

  get #path(): string {
    return `${this.#directory}/meta.properties`;
  }
}

function parse(text: string): ReadonlyMap<string, string> {
  const entries = text.split("\n").flatMap((line) => {
    const at = line.indexOf("=");
    return at < 0 || line.startsWith("#")
      ? []
      : [[line.slice(0, at).trim(), line.slice(at + 1).trim()] as const];
  });
  return new Map(entries);
}
