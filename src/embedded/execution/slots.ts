/** A bounded number of places; who finds none waits, first come first served. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  /** @param count how many may be held at once. */
  constructor(count: number) {
    this.#free = count;
  }

  /**
   * Waits for a place and takes it. Call the function that comes back to give it up; a second call does nothing.
   * Rejects with the signal's reason if that is aborted before there is a place.
   */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(signal);
    let held = true;
    return () => {
      if (held) this.#giveUp();
      held = false;
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const proceed = () => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.delete(proceed);
        reject(signal.reason);
      };
      this.#waiting.add(proceed);
      signal.addEventListener("abort", leave, { once: true });
    });
  }

  /** A place that somebody waits for goes to them directly, so that nobody can step in between. */
  #giveUp(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
