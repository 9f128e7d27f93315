import { decodeResponseFrame, encodeRequestFrame } from "#protocol/frame.ts";
import type { Api, RequestInput, ResponseOutput } from "#protocol/schema/api.ts";
import type { FakeClient } from "./runtime/fake-network.ts";

/** A client that sends without waiting and looks at answers when the test wants it to. */
export class PipeliningClient {
  readonly #client: FakeClient;
  readonly #waiting: ((answer: Buffer) => void)[] = [];
  #correlationId = 0;
  #readCount = 0;

  constructor(client: FakeClient) {
    this.#client = client;
  }

  /** Requests that are to be answered and are not yet. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Sends a request; `check` gets its answer. Without one the request is expected to get none. */
  send<A extends Api>(
    api: A,
    version: number,
    request: RequestInput<A>,
    check?: (response: ResponseOutput<A>) => void,
  ): void {
    const correlationId = ++this.#correlationId;
    this.#client.send(encodeRequestFrame(request, { api, version, correlationId, clientId: "test" }));
    if (!check) return;
    this.#waiting.push((answer) => {
      const decoded = decodeResponseFrame(answer, { api, version });
      if (decoded.correlationId !== correlationId) {
        throw new Error(`Answer to ${decoded.correlationId}, not to ${correlationId}: out of order`);
      }
      check(decoded.response);
    });
  }

  /** Checks the answers that have come since the last time; answers how many. @throws Error for one that nobody waits for */
  takeAnswers(): number {
    const fresh = this.#client.frames.slice(this.#readCount);
    for (const answer of fresh) {
      const check = this.#waiting.shift();
      if (!check) throw new Error("An answer came that nobody waits for");
      check(answer);
    }
    this.#readCount += fresh.length;
    return fresh.length;
  }

  get isClosed(): boolean {
    return this.#client.isClosed;
  }
}
