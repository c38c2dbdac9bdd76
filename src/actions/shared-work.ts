/** Work for the same caller that several of its calls want at the same time: one of them does it, the others wait. */
import type { Call } from "../translators/translator.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { Status } from "../wire/status.ts";
import { callerKey } from "./caller-key.ts";

/** Work of one kind, by key. */
export class SharedWork<Value> {
  private readonly underWay = new Map<string, Work<Value>>();

  /**
   * What `work` makes, or what it made for another call of the same caller (law 10) that began before and is not done. Where that one fails since its own call is over,
   * somebody who waits for it does the work again; any other failure is everybody's.
   * @throws what `work` throws; UpstreamError CANCELLED if the call ends while it waits.
   */
  async run(key: string, call: Call, work: () => Promise<Value>): Promise<Value> {
    const place = `${callerKey(call)}\0${key}`;
    for (;;) {
      const other = this.underWay.get(place);
      if (other === undefined) return this.lead(place, call, work);
      try {
        return await whileThere(call, other.outcome);
      } catch (error) {
        if (call.cancelled.aborted || !isGone(other.call, error)) throw error;
      }
    }
  }

  private async lead(place: string, call: Call, work: () => Promise<Value>): Promise<Value> {
    const outcome = work();
    // It may be that nobody waits.
    outcome.catch(() => {});
    this.underWay.set(place, { call, outcome });
    try {
      return await outcome;
    } finally {
      this.underWay.delete(place);
    }
  }
}

interface Work<Value> {
  readonly call: Call;
  readonly outcome: Promise<Value>;
}

/** The outcome of work of another call, as long as this one lasts. @throws UpstreamError CANCELLED if it ends before. */
export async function whileThere<Value>({ cancelled }: Call, outcome: Promise<Value>): Promise<Value> {
  const { promise: end, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(new UpstreamError(Status.CANCELLED, "the caller cancelled the call"));
  cancelled.addEventListener("abort", stop, { once: true });
  if (cancelled.aborted) stop();
  try {
    return await Promise.race([outcome, end]);
  } finally {
    cancelled.removeEventListener("abort", stop);
  }
}

/** Whether work failed for want of the call that did it: it was cancelled, it ended, or its time is over. */
function isGone(call: Call, error: unknown): boolean {
  if (call.cancelled.aborted) return true;
  return (
    error instanceof UpstreamError &&
    (error.code === Status.CANCELLED || error.code === Status.DEADLINE_EXCEEDED)
  );
}
