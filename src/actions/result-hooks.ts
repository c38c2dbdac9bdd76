/** Gives an ActionResult the form that the client reads. */
import type { ActionMessages, Edit, Originals } from "../translators/translator.ts";
import { joined } from "../wire/rewrite.ts";
import { DerivedBlobs } from "./derived-blobs.ts";
import { wishesOf } from "./inline-wishes.ts";
import type { Memory } from "./memory.ts";
import type { Scope } from "./scope.ts";
import type { ActionStep } from "./transform.ts";

/** What is known of where a result comes from. */
export interface ResultSource {
  readonly scope: Scope;
  /** What each step got of the client's messages, read when it is first asked for; null where they cannot be had. */
  readonly given: () => Promise<readonly ActionMessages[] | null>;
  /** As `Originals.foreign`. */
  readonly foreign: boolean;
}

/** Runs the result hooks of one plan. */
export class ResultHooks {
  private readonly steps: readonly ActionStep[];
  private readonly memory: Memory;
  private readonly id: string;

  constructor(steps: readonly ActionStep[], memory: Memory, id: string) {
    this.steps = steps;
    this.memory = memory;
    this.id = id;
  }

  /** Whether there are any. */
  get some(): boolean {
    return this.steps.some(({ result }) => result !== null);
  }

  /**
   * The result as the client reads it, and everything stored that it refers to anew. Null where nothing changes.
   * @throws BridgeError of a hook that cannot do it, UpstreamError if reading or storing fails, WireError for messages that are none.
   */
  async edit(result: Buffer, source: ResultSource): Promise<Edit> {
    const blobs = new DerivedBlobs(source.scope, this.memory, this.id);
    let given: Promise<readonly ActionMessages[] | null> | undefined;
    const givenAt = async (index: number): Promise<ActionMessages | null> => {
      given ??= source.given();
      return (await given)?.[index] ?? null;
    };
    try {
      let current = result;
      for (const [index, { result: hook }] of [...this.steps.entries()].reverse()) {
        if (hook === null) continue;
        const originals: Originals = {
          action: async () => (await givenAt(index))?.action ?? null,
          command: async () => (await givenAt(index))?.command ?? null,
          foreign: source.foreign,
          inlined: wishesOf(source.scope.call),
          port: source.scope.port,
          digestOf: (bytes) => source.scope.hash(bytes),
          read: (digest) => blobs.read(digest),
          derive: (key, make) => blobs.derive(key, make),
        };
        current = joined(await hook(current, originals), current);
      }
      await blobs.store();
      return current === result ? null : [current];
    } finally {
      blobs.close();
    }
  }
}
