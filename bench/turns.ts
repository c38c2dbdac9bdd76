/** Runs of several in turns, in random order, so that what disturbs the machine disturbs all. */
import type { Sample } from "./measure.ts";

/** Runs of one load and target that may go wrong; with the next one it is given up. */
const MAX_FAILURES = 2;

/** What came of one load and target. */
export interface Log<S extends Sample> {
  readonly samples: S[];
  readonly mebibytes: number[];
  readonly failures: string[];
  failure: string | null;
}

/** Runs a load on all targets in turn. A run with a wrong call counts for nothing and is repeated. */
export class Turns<S extends Sample = Sample> {
  readonly logs: ReadonlyMap<string, Log<S>>;

  constructor(names: readonly string[]) {
    this.logs = new Map(
      names.map((name) => [name, { samples: [], mebibytes: [], failures: [], failure: null }]),
    );
  }

  async take(work: (name: string, log: Log<S>) => Promise<unknown>): Promise<void> {
    for (const name of shuffled([...this.logs.keys()])) await this.attempt(name, work);
  }

  private async attempt(name: string, work: (name: string, log: Log<S>) => Promise<unknown>): Promise<void> {
    const log = this.logs.get(name)!;
    while (log.failure === null) {
      try {
        await work(name, log);
        return;
      } catch (error) {
        const { message } = error as Error;
        if (log.failures.length === MAX_FAILURES) log.failure = message;
        else log.failures.push(message);
      }
    }
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
