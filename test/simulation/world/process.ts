/** A program that runs in the simulation: a broker's life between two starts, or a client. */
export class SimulatedProcess {
  readonly name: string;
  #state: "running" | "paused" | "dead" = "running";

  constructor(name: string) {
    this.name = name;
  }

  get isAlive(): boolean {
    return this.#state !== "dead";
  }

  get isPaused(): boolean {
    return this.#state === "paused";
  }

  /** Its events wait, as under SIGSTOP. The scheduler resumes it. */
  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }

  /** For the scheduler. */
  wake(): void {
    if (this.#state === "paused") this.#state = "running";
  }

  /** Nothing of it ever runs again. */
  die(): void {
    this.#state = "dead";
  }
}
