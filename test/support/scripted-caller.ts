import type { Caller, CallFailure, UpstreamCall } from "../../src/upstream/caller.ts";
import { Status } from "../../src/wire/status.ts";
import { TestBudget } from "./test-budget.ts";

/** What a test's upstream does with one call: a generator of its responses, that may throw a {@link failure}. */
export type Script = (call: ScriptedCall) => AsyncIterable<Buffer> | Iterable<Buffer>;

/** The failure of a call, as a caller throws it. */
export function failure(code: number, message = "as the script says", details?: string): CallFailure {
  return Object.assign(new Error(message), { code, details });
}

/** An upstream that does what a test says, without a connection. */
export class ScriptedCaller implements Caller {
  readonly budget: TestBudget;
  /** The calls that were opened, in order. */
  readonly calls: ScriptedCall[] = [];
  private readonly script: Script;

  constructor(script: Script, budgetBytes?: number) {
    this.script = script;
    this.budget = new TestBudget(budgetBytes);
  }

  open(path: string, resourceName?: string): UpstreamCall {
    const call = new ScriptedCall(path, resourceName, this.script);
    this.calls.push(call);
    return call;
  }
}

/** One call, seen from both sides. A message that is written waits until the script takes it. */
export class ScriptedCall implements UpstreamCall {
  readonly path: string;
  readonly resourceName: string | undefined;
  /** Messages that the script has taken. */
  readonly taken: Buffer[] = [];
  /** Whether the port has cancelled the call before it was over. */
  cancelled = false;
  private readonly script: Script;
  private readonly waiting: { message: Buffer; taken: () => void }[] = [];
  private readonly over = Promise.withResolvers<"over">();
  private arrival = Promise.withResolvers<void>();
  private ended = false;
  private isOver = false;

  constructor(path: string, resourceName: string | undefined, script: Script) {
    this.path = path;
    this.resourceName = resourceName;
    this.script = script;
  }

  // ---- the script's side ----

  /** The requests, as they are written. */
  async *requests(): AsyncGenerator<Buffer, void, void> {
    for (;;) {
      const next = this.waiting.shift();
      if (next !== undefined) {
        this.taken.push(next.message);
        next.taken();
        yield next.message;
      } else if (this.ended) {
        return;
      } else {
        await this.arrival.promise;
      }
    }
  }

  /** The only request of a call that has one. */
  async request(): Promise<Buffer> {
    for await (const request of this.requests()) return request;
    throw new Error("the call has no request");
  }

  // ---- the port's side ----

  async write(message: readonly Buffer[]): Promise<void> {
    if (this.isOver) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.waiting.push({ message: Buffer.concat(message), taken: resolve });
    this.arrived();
    await Promise.race([promise, this.over.promise]);
  }

  async end(): Promise<void> {
    this.ended = true;
    this.arrived();
  }

  async *messages(): AsyncGenerator<Buffer, void, void> {
    const responses = this.script(this);
    const iterator = Symbol.asyncIterator in responses ? responses : asAsync(responses);
    const next = iterator[Symbol.asyncIterator]();
    try {
      for (;;) {
        const step = await Promise.race([next.next(), this.over.promise]);
        if (step === "over") throw failure(Status.CANCELLED, "the call was cancelled");
        if (step.done === true) return;
        yield step.value;
      }
    } finally {
      this.finish();
    }
  }

  cancel(): void {
    if (!this.isOver) this.cancelled = true;
    this.finish();
  }

  private finish(): void {
    this.isOver = true;
    this.over.resolve("over");
  }

  private arrived(): void {
    this.arrival.resolve();
    this.arrival = Promise.withResolvers();
  }
}

async function* asAsync(items: Iterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  yield* items;
}
