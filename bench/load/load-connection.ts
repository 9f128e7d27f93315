import { connect, type Socket } from "node:net";
import { decodeResponseFrame, encodeRequestFrame } from "#protocol/frame.ts";
import type { Api, RequestInput, ResponseOutput } from "#protocol/schema/api.ts";

/** Where a broker listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Given one response, its size prefix cut off; the bytes are overwritten once it returns. */
export type OnResponse = (frame: Buffer) => void;

export const clientId = "millrace-load";

/** A broker answers a connection in order, so nothing needs a correlation id of its own. */
export const correlationId = 1;

const receiveBytes = 1 << 20;
const lengthBytes = 4;

/** Reads an address as `--bootstrap-server` gives it. @throws Error */
export function parseAddress(text: string): Address {
  const [host, port] = text.split(":");
  if (!host || !port || !(Number(port) > 0))
    throw new Error(`Cannot read the address "${text}": no host:port`);
  return { host, port: Number(port) };
}

/**
 * One client connection that costs as little as it can: requests go out as they are, responses are handed on
 * in order from memory that is used again.
 */
export class LoadConnection implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #waiting: OnResponse[] = [];
  #waitingFrom = 0;
  #frame = Buffer.allocUnsafeSlow(receiveBytes);
  #filledBytes = 0;
  #failure: Error | undefined;
  #isClosing = false;
  readonly #onFailure: (error: Error) => void;

  /** Connects. @throws Error when nobody listens; `onFailure` is told when the connection is lost later */
  static open({ host, port }: Address, onFailure: (error: Error) => void): Promise<LoadConnection> {
    return new Promise((resolve, reject) => {
      const chunk = Buffer.allocUnsafeSlow(receiveBytes);
      let connection: LoadConnection | undefined;
      const socket = connect({
        host,
        port,
        noDelay: true,
        onread: {
          buffer: chunk,
          callback: (sizeBytes) => {
            connection?.receive(chunk.subarray(0, sizeBytes));
            return true;
          },
        },
      });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.removeListener("error", reject);
        connection = new LoadConnection(socket, onFailure);
        resolve(connection);
      });
    });
  }

  private constructor(socket: Socket, onFailure: (error: Error) => void) {
    this.#socket = socket;
    this.#onFailure = onFailure;
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("Cannot go on: the broker closed the connection")));
  }

  /** Requests that are not answered yet. */
  get inFlight(): number {
    return this.#waiting.length - this.#waitingFrom;
  }

  /** Sends a whole request frame, in pieces that stay unchanged until it is answered. */
  send(pieces: readonly Uint8Array[], onResponse: OnResponse): void {
    this.#waiting.push(onResponse);
    this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    this.#socket.uncork();
  }

  /** Asks and awaits the decoded answer: for all that is not measured. */
  request<A extends Api>(api: A, version: number, request: RequestInput<A>): Promise<ResponseOutput<A>> {
    const frame = encodeRequestFrame(request, { api, version, correlationId, clientId });
    return new Promise((resolve, reject) => {
      this.send([frame], (bytes) => {
        try {
          resolve(decodeResponseFrame(Buffer.from(bytes), { api, version }).response);
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** @internal */
  receive(chunk: Buffer): void {
    let position = 0;
    while (position < chunk.length) {
      const sizeBytes = this.#frameBytes(chunk, position);
      // The usual small answer lies whole in the chunk and is not copied.
      if (this.#filledBytes === 0 && sizeBytes !== undefined && position + sizeBytes <= chunk.length) {
        this.#answer(chunk.subarray(position + lengthBytes, position + sizeBytes));
        position += sizeBytes;
        continue;
      }
      position = this.#gather(chunk, position, sizeBytes ?? lengthBytes);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true;
    this.#socket.destroy();
  }

  /** Size of the frame at hand with its prefix; undefined until the prefix is whole. */
  #frameBytes(chunk: Buffer, position: number): number | undefined {
    if (this.#filledBytes >= lengthBytes) return lengthBytes + this.#frame.readInt32BE(0);
    if (this.#filledBytes === 0 && chunk.length - position >= lengthBytes) {
      return lengthBytes + chunk.readInt32BE(position);
    }
    return undefined;
  }

  #gather(chunk: Buffer, position: number, wantedBytes: number): number {
    if (wantedBytes > this.#frame.length) {
      const grown = Buffer.allocUnsafeSlow(wantedBytes);
      this.#frame.copy(grown, 0, 0, this.#filledBytes);
      this.#frame = grown;
    }
    const taken = Math.min(wantedBytes - this.#filledBytes, chunk.length - position);
    chunk.copy(this.#frame, this.#filledBytes, position, position + taken);
    this.#filledBytes += taken;
    const isWhole = this.#filledBytes === wantedBytes && wantedBytes > lengthBytes;
    if (isWhole) {
      this.#filledBytes = 0;
      this.#answer(this.#frame.subarray(lengthBytes, wantedBytes));
    }
    return position + taken;
  }

  #answer(frame: Buffer): void {
    const onResponse = this.#waiting[this.#waitingFrom++];
    if (this.#waitingFrom >= 1024) {
      this.#waiting.splice(0, this.#waitingFrom);
      this.#waitingFrom = 0;
    }
    try {
      onResponse?.(frame);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #fail(error: Error): void {
    if (this.#isClosing || this.#failure) return;
    this.#failure = error;
    this.#socket.destroy();
    this.#onFailure(error);
  }
}
