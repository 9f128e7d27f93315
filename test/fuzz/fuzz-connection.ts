import { connect, type Socket } from "node:net";
import { apiVersionsRequest } from "../integration/bad-input/wire.ts";

/** What came of a frame: answered (or rightly silent), the connection closed, or nothing so far. */
export type Outcome =
  | { readonly kind: "answered"; readonly answers: readonly Buffer[] }
  | { readonly kind: "closed" }
  | { readonly kind: "held" };

/** The correlation id of the request that is sent behind each frame, to see when the frame has been dealt with. */
const sentinelCorrelationId = 0x5e47;
const sentinel = apiVersionsRequest(sentinelCorrelationId);
/** What waits for others or for bytes is given up on after this. */
const heldMsMax = 250;

/** One of the fuzzer's connections: a frame at a time, opened anew where the last one did not survive it. */
export class FuzzConnection implements Disposable {
  readonly #port: number;
  readonly #localAddress: string | undefined;
  #socket: Socket | undefined;
  #received: Buffer = Buffer.alloc(0);
  #answers: Buffer[] = [];
  #settle: ((outcome: Outcome) => void) | undefined;

  /** `number` spreads connections over loopback addresses: one alone has too few ports for the churn. */
  constructor(port: number, number: number) {
    this.#port = port;
    this.#localAddress = process.platform === "linux" ? `127.0.${1 + (number % 250)}.1` : undefined;
  }

  /** Sends the frame and waits for what comes of it. @throws Error when the broker cannot be reached */
  async exchange(frame: Uint8Array): Promise<Outcome> {
    const socket = this.#socket ?? (await this.#open());
    const settled = new Promise<Outcome>((resolve) => {
      this.#settle = resolve;
    });
    const timer = setTimeout(() => this.#end({ kind: "held" }), heldMsMax);
    socket.write(Buffer.concat([frame, sentinel]));
    const outcome = await settled;
    clearTimeout(timer);
    return outcome;
  }

  [Symbol.dispose](): void {
    this.#end({ kind: "closed" });
  }

  async #open(): Promise<Socket> {
    const source = this.#localAddress === undefined ? {} : { localAddress: this.#localAddress };
    const socket = connect({ host: "127.0.0.1", port: this.#port, noDelay: true, ...source });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    this.#socket = socket;
    this.#received = Buffer.alloc(0);
    this.#answers = [];
    socket.on("data", (chunk) => this.#receive(chunk));
    // The end that follows says all that matters.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      if (socket === this.#socket) this.#end({ kind: "closed" });
    });
    return socket;
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= 4) {
      const end = 4 + this.#received.readInt32BE(0);
      if (end < 8) throw new Error(`Cannot take an answer of ${end - 4} bytes: the broker is out of step`);
      if (this.#received.length < end) return;
      const answer = this.#received.subarray(4, end);
      this.#received = this.#received.subarray(end);
      if (answer.readInt32BE(0) === sentinelCorrelationId) {
        this.#finish({ kind: "answered", answers: this.#answers });
        this.#answers = [];
      } else {
        this.#answers.push(answer);
      }
    }
  }

  #end(outcome: Outcome): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.resetAndDestroy();
    this.#finish(outcome);
  }

  #finish(outcome: Outcome): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(outcome);
  }
}
