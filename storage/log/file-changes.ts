import { isDiskBroken } from "../io/file.ts";
import { LogClosedError } from "./log-error.ts";

/** The changes to the files of one log, one at a time; after a failed durable write none is tried again. */
export class FileChanges {
  readonly #directory: string;
  #failure: unknown;
  #isEnded = false;
  /** Settles when the last of those that wait is done; never rejects. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** No more changes: `end` was called. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Runs `change` once all before it are done. @throws LogClosedError, the failure of an earlier durable write */
  run<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#last.then(async () => {
      if (this.#failure) throw this.#failure;
      if (this.#isEnded) throw new LogClosedError(this.#directory);
      try {
        return await change();
      } catch (error) {
        if (isDiskBroken(error)) this.#failure = error;
        throw error;
      }
    });
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Settles, and never rejects, when all changes that were asked for so far are done. */
  get settled(): Promise<unknown> {
    return this.#last;
  }

  /** Refuses all that did not begin yet. */
  end(): void {
    this.#isEnded = true;
  }
}
