import { ErrorCode } from "#protocol/error-codes.ts";
import { decodeResponseFrame, encodeRequestFrame } from "#protocol/frame.ts";
import type { Api, RequestInput, ResponseOutput } from "#protocol/schema/api.ts";
import { FrameAssembler } from "#src/cli/client/frame-assembler.ts";
import type { SimulatedClock } from "../world/clock.ts";
import type { SimulatedSocket } from "../world/socket.ts";

/** Nothing is known of what became of a request, or the broker cannot be reached at all. */
export class Unanswered extends Error {
  readonly reason: "refused" | "broken" | "timedOut";

  constructor(reason: Unanswered["reason"]) {
    super(`No answer: ${reason}`);
    this.name = "Unanswered";
    this.reason = reason;
  }
}

/** The broker answered with an error. */
export class Refused extends Error {
  readonly errorCode: ErrorCode;

  constructor(errorCode: number) {
    super(`Refused with error ${errorCode}`);
    this.name = "Refused";
    this.errorCode = errorCode as ErrorCode;
  }
}

/** Throws Refused unless the code is "none". */
export function expectNone(errorCode: number): void {
  if (errorCode !== ErrorCode.none) throw new Refused(errorCode);
}

interface Waiting {
  readonly resolve: (frame: Buffer) => void;
  readonly reject: (error: Error) => void;
  readonly cancelTimer: () => void;
}

/** One connection of a client to one broker; answers must come in the order of the requests. */
export class ClientConnection {
  readonly #socket: SimulatedSocket;
  readonly #clock: SimulatedClock;
  readonly #clientId: string;
  readonly #assembler = new FrameAssembler();
  readonly #waiting = new Map<number, Waiting>();
  readonly #onDisorder: (details: string) => void;
  #nextCorrelationId = 1;
  #failure: Unanswered | undefined;

  constructor(
    socket: SimulatedSocket,
    options: {
      readonly clock: SimulatedClock;
      readonly clientId: string;
      /** Told of an answer that is not the next one. */
      readonly onDisorder: (details: string) => void;
    },
  ) {
    this.#socket = socket;
    this.#clock = options.clock;
    this.#clientId = options.clientId;
    this.#onDisorder = options.onDisorder;
    socket.listen({
      data: (chunk) => this.#receive(chunk),
      drain: () => undefined,
      close: () => this.#fail("broken"),
    });
  }

  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /** Sends a request; after `timeoutMs` without its answer the connection is given up. @throws Unanswered */
  async request<A extends Api>(
    api: A,
    { version, timeoutMs }: { readonly version: number; readonly timeoutMs: number },
    request: RequestInput<A>,
  ): Promise<ResponseOutput<A>> {
    const correlationId = this.#send(api, version, request);
    const frame = await new Promise<Buffer>((resolve, reject) => {
      const cancelTimer = this.#clock.schedule(timeoutMs, () => this.#fail("timedOut"));
      this.#waiting.set(correlationId, { resolve, reject, cancelTimer });
    });
    return decodeResponseFrame(frame, { api, version }).response;
  }

  /** Sends a request that has no answer (acks=0). @throws Unanswered */
  post<A extends Api>(api: A, version: number, request: RequestInput<A>): void {
    this.#send(api, version, request);
  }

  close(): void {
    this.#fail("broken");
  }

  #send<A extends Api>(api: A, version: number, request: RequestInput<A>): number {
    if (this.#failure) throw this.#failure;
    const correlationId = this.#nextCorrelationId++;
    const clientId = this.#clientId;
    this.#socket.write([encodeRequestFrame(request, { api, version, correlationId, clientId })]);
    return correlationId;
  }

  #receive(chunk: Buffer): void {
    for (const frame of this.#assembler.push(chunk)) {
      const correlationId = frame.readInt32BE(0);
      const [expected] = this.#waiting.keys();
      if (correlationId !== expected) {
        this.#onDisorder(`answer ${correlationId} came where ${expected} was next`);
      }
      const waiting = this.#waiting.get(correlationId);
      this.#waiting.delete(correlationId);
      waiting?.cancelTimer();
      waiting?.resolve(frame);
    }
  }

  #fail(reason: Unanswered["reason"]): void {
    if (this.#failure) return;
    this.#failure = new Unanswered(reason);
    this.#socket.destroy();
    for (const { cancelTimer, reject } of this.#waiting.values()) {
      cancelTimer();
      reject(this.#failure);
    }
    this.#waiting.clear();
  }
}
