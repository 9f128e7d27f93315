import { connect, type Socket } from "node:net";
import { ProtocolError } from "#protocol/bytes/protocol-error.ts";
import { ErrorCode } from "#protocol/error-codes.ts";
import { decodeResponseFrame, encodeRequestFrame } from "#protocol/frame.ts";
import { ApiVersions } from "#protocol/messages/api-versions.ts";
import type { Api, RequestInput, ResponseOutput } from "#protocol/schema/api.ts";
import type { CancelTimer, Clock } from "../../runtime/clock.ts";
import type { Address } from "./address.ts";
import { ConnectionError, type ConnectionFailure, UnservedApiError } from "./client-errors.ts";
import { FrameAssembler } from "./frame-assembler.ts";

export interface ConnectionOptions {
  readonly clientId: string;
  readonly clock: Clock;
  /** For connecting, and for each answer. */
  readonly timeoutMs: number;
}

/** How one request differs from the others. */
export interface RequestOptions {
  /** The newest version that the caller understands, where it is not the newest that is declared. */
  readonly versionMax?: number;
  /** Time that the broker itself may take, in addition to the connection's own timeout. */
  readonly waitMs?: number;
}

interface Waiting {
  readonly resolve: (frame: Buffer) => void;
  readonly reject: (error: Error) => void;
  readonly cancelTimer: CancelTimer;
}

type VersionRange = readonly [min: number, max: number];

/** ApiVersions is understood from here on; all later versions are negotiated. */
const apiVersionsVersion = 3;

/** One connection to one broker; requests may be in flight together. */
export class BrokerConnection implements Disposable {
  readonly address: Address;
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #assembler = new FrameAssembler();
  readonly #waiting = new Map<number, Waiting>();
  #served: ReadonlyMap<number, VersionRange> = new Map();
  #nextCorrelationId = 1;
  #failure: ConnectionError | undefined;

  /** Connects and learns what the broker serves. @throws ConnectionError */
  static async open(address: Address, options: ConnectionOptions): Promise<BrokerConnection> {
    const connection = new BrokerConnection(address, await openSocket(address, options), options);
    try {
      await connection.#negotiate();
    } catch (error) {
      connection[Symbol.dispose]();
      throw error;
    }
    return connection;
  }

  private constructor(address: Address, socket: Socket, options: ConnectionOptions) {
    this.address = address;
    this.#socket = socket;
    this.#options = options;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (cause) => this.#fail(describe(cause), cause));
    socket.on("close", () => this.#fail({ failure: "closed", reason: "it closed the connection" }));
  }

  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /** Versions that the broker serves, by API key. */
  get served(): ReadonlyMap<number, VersionRange> {
    return this.#served;
  }

  /** Sends a request in the newest version that both know. @throws ConnectionError, UnservedApiError, ProtocolError */
  async request<A extends Api>(
    api: A,
    request: RequestInput<A>,
    options: RequestOptions = {},
  ): Promise<ResponseOutput<A>> {
    return await this.#exchange(api, request, this.#versionOf(api, options.versionMax), options.waitMs ?? 0);
  }

  /** Sends a request that is never answered (Produce with acks=0). @throws ConnectionError, UnservedApiError */
  send<A extends Api>(api: A, request: RequestInput<A>, options: RequestOptions = {}): void {
    if (this.#failure) throw this.#failure;
    const version = this.#versionOf(api, options.versionMax);
    this.#write(api, request, version);
  }

  [Symbol.dispose](): void {
    this.#fail({ failure: "closed", reason: "this side closed the connection" });
  }

  async #negotiate(): Promise<void> {
    const request = { clientSoftwareName: "millrace", clientSoftwareVersion: "1" };
    let answer: ResponseOutput<typeof ApiVersions>;
    try {
      answer = await this.#exchange(ApiVersions, request, apiVersionsVersion, 0);
    } catch (cause) {
      // A broker of before 2019 answers in a form of its own.
      if (!(cause instanceof ProtocolError)) throw cause;
      throw this.#foreign(cause);
    }
    if (answer.errorCode !== ErrorCode.none) throw this.#foreign();
    this.#served = new Map(
      answer.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]),
    );
  }

  #versionOf(api: Api, versionMax = Number.POSITIVE_INFINITY): number {
    const served = this.#served.get(api.key);
    const [min, max] = api.versions;
    const newest = Math.min(max, versionMax, served?.[1] ?? -1);
    if (!served || newest < Math.max(min, served[0])) throw new UnservedApiError(api.name, this.address);
    return newest;
  }

  async #exchange<A extends Api>(
    api: A,
    request: RequestInput<A>,
    version: number,
    waitMs: number,
  ): Promise<ResponseOutput<A>> {
    if (this.#failure) throw this.#failure;
    const correlationId = this.#write(api, request, version);
    const frame = await new Promise<Buffer>((resolve, reject) => {
      const timeoutMs = this.#options.timeoutMs + waitMs;
      const cancelTimer = this.#options.clock.schedule(timeoutMs, () =>
        this.#fail({ failure: "timedOut", reason: `no answer to ${api.name} within ${timeoutMs / 1000} s` }),
      );
      this.#waiting.set(correlationId, { resolve, reject, cancelTimer });
    });
    return decodeResponseFrame(frame, { api, version }).response;
  }

  #write<A extends Api>(api: A, request: RequestInput<A>, version: number): number {
    const correlationId = this.#nextCorrelationId;
    this.#nextCorrelationId = (correlationId + 1) & 0x7fff_ffff;
    const { clientId } = this.#options;
    this.#socket.write(encodeRequestFrame(request, { api, version, correlationId, clientId }));
    return correlationId;
  }

  #receive(chunk: Buffer): void {
    let frames: Buffer[];
    try {
      frames = this.#assembler.push(chunk);
    } catch (cause) {
      this.#fail(this.#foreign(cause));
      return;
    }
    for (const frame of frames) {
      const correlationId = frame.readInt32BE(0);
      const waiting = this.#waiting.get(correlationId);
      this.#waiting.delete(correlationId);
      waiting?.cancelTimer();
      waiting?.resolve(frame);
    }
  }

  #foreign(cause?: unknown): ConnectionError {
    const reason = "what answers there does not speak Kafka's protocol without encryption";
    return new ConnectionError(this.address, { failure: "notKafka", reason, cause });
  }

  #fail(
    failure: ConnectionError | { failure: ConnectionFailure; reason: string },
    cause: unknown = undefined,
  ): void {
    if (this.#failure) return;
    const error =
      failure instanceof ConnectionError ? failure : new ConnectionError(this.address, { ...failure, cause });
    this.#failure = error;
    this.#socket.destroy();
    for (const { cancelTimer, reject } of this.#waiting.values()) {
      cancelTimer();
      reject(error);
    }
    this.#waiting.clear();
  }
}

function openSocket(address: Address, { clock, timeoutMs }: ConnectionOptions): Promise<Socket> {
  const socket = connect({ host: address.host, port: address.port, noDelay: true });
  return new Promise((resolve, reject) => {
    function fail(failure: { failure: ConnectionFailure; reason: string }, cause?: unknown): void {
      cancelTimer();
      socket.destroy();
      reject(new ConnectionError(address, { ...failure, cause }));
    }
    const cancelTimer = clock.schedule(timeoutMs, () =>
      fail({ failure: "timedOut", reason: `no connection within ${timeoutMs / 1000} s` }),
    );
    socket.once("error", (cause) => fail(describe(cause), cause));
    socket.once("connect", () => {
      cancelTimer();
      socket.removeAllListeners("error");
      resolve(socket);
    });
  });
}

function describe(error: NodeJS.ErrnoException): { failure: ConnectionFailure; reason: string } {
  switch (error.code) {
    case "ECONNREFUSED":
      return { failure: "refused", reason: "the connection was refused" };
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return { failure: "unknownHost", reason: "the host's name is unknown" };
    case "ECONNRESET":
    case "EPIPE":
      return { failure: "closed", reason: "the connection broke" };
    default:
      return { failure: "other", reason: firstMessage(error) };
  }
}

/** A name with several addresses fails with all their errors together, and no message of its own. */
function firstMessage(error: Error): string {
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return inner instanceof Error ? inner.message : String(inner);
}
