import { connect, type Socket } from "node:net";
import { ApiVersions } from "#protocol/messages/api-versions.ts";
import { ListOffsets } from "#protocol/messages/list-offsets.ts";
import { Metadata } from "#protocol/messages/metadata.ts";
import { LoadConnection } from "../load/load-connection.ts";
import type { Life, SoakBroker } from "./soak-broker.ts";
import type { SoakTopic } from "./soak-plan.ts";

/** Clients' ways: two of them ask and leave, the others misbehave. */
const manners = [
  "asks",
  "lists",
  "asks",
  "lists",
  "asks",
  "lists",
  "asks",
  "breaks",
  "lists",
  "silent",
] as const;
type Manner = (typeof manners)[number];

const announcedBytes = 8 << 20;

/** Connections that come, ask and leave; some break off in the middle of a request, some say nothing any more. */
export class Visits implements Disposable {
  readonly #broker: SoakBroker;
  readonly #topics: readonly SoakTopic[];
  readonly #onFault: (error: Error) => void;
  readonly #silent = new Set<Socket>();
  #count = 0;
  /** Those that got all their answers, or broke off as they meant to. */
  doneCount = 0;
  /** Silent connections that the broker ended. */
  endedCount = 0;

  constructor(broker: SoakBroker, topics: readonly SoakTopic[], onFault: (error: Error) => void) {
    this.#broker = broker;
    this.#topics = topics;
    this.#onFault = onFault;
  }

  /** Silent connections that are still open. */
  get silentCount(): number {
    return this.#silent.size;
  }

  /** Begins one visit, unless the broker is between two lives. */
  begin(): void {
    const { life } = this.#broker;
    if (!life) return;
    const manner = manners[this.#count++ % manners.length] ?? "asks";
    this.#visit(manner).then(
      () => {
        this.doneCount++;
      },
      (error: unknown) => this.#failed(error, life),
    );
  }

  [Symbol.dispose](): void {
    for (const socket of this.#silent) socket.destroy();
  }

  /** A broker that ends may break any visit; one that goes on must not. */
  #failed(error: unknown, life: Life): void {
    if (life.endedMs !== undefined) return;
    this.#onFault(new Error(`Cannot visit: ${error instanceof Error ? error.message : String(error)}`));
  }

  async #visit(manner: Manner): Promise<void> {
    switch (manner) {
      case "asks":
        return await this.#ask(async (connection) => {
          await connection.request(ApiVersions, 3, {
            clientSoftwareName: "visitor",
            clientSoftwareVersion: "1",
          });
          await connection.request(Metadata, 9, { topics: null, allowAutoTopicCreation: false });
        });
      case "lists":
        return await this.#ask(async (connection) => {
          const topic = this.#topics[this.#count % this.#topics.length];
          if (!topic) return;
          const partitions = [{ partitionIndex: this.#count % topic.partitions, timestamp: -2 }];
          await connection.request(ListOffsets, 5, {
            replicaId: -1,
            isolationLevel: 0,
            topics: [{ name: topic.name, partitions }],
          });
        });
      case "breaks":
        return await this.#breakOff();
      case "silent":
        return await this.#fallSilent();
      default:
        manner satisfies never;
    }
  }

  async #ask(questions: (connection: LoadConnection) => Promise<void>): Promise<void> {
    const failure = Promise.withResolvers<never>();
    await using connection = await LoadConnection.open(this.#broker.address, failure.reject);
    await Promise.race([questions(connection), failure.promise]);
  }

  /** Announces a large request, sends a little of it, and resets the connection. */
  async #breakOff(): Promise<void> {
    const socket = await this.#open();
    socket.write(announcement());
    await new Promise((resolve) => setTimeout(resolve, 20));
    socket.resetAndDestroy();
  }

  /** Announces a request and never says another word: like a peer whose machine is gone. The broker has to end it. */
  async #fallSilent(): Promise<void> {
    const socket = await this.#open();
    socket.write(announcement());
    this.#silent.add(socket);
    socket.once("close", () => {
      this.#silent.delete(socket);
      this.endedCount++;
    });
  }

  #open(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ ...this.#broker.address, noDelay: true });
      socket.once("connect", () => {
        socket.off("error", reject);
        // A reset says no more than the close that follows.
        socket.on("error", () => undefined);
        socket.resume();
        resolve(socket);
      });
      socket.once("error", reject);
    });
  }
}

function announcement(): Buffer {
  const bytes = Buffer.alloc(1024);
  bytes.writeInt32BE(announcedBytes, 0);
  return bytes;
}
