/** Follows an operation of the upstream's to its end, by whatever the upstream has for that (D45, D46). */
import { setTimeout as sleep } from "node:timers/promises";
import type { OperationManner } from "../translators/translator.ts";
import { UpstreamError } from "../upstream/upstream-error.ts";
import { Status } from "../wire/status.ts";
import { endOf, nameOf } from "./running-action.ts";
import type { Scope } from "./scope.ts";

type Operations = AsyncGenerator<Buffer, void, void>;

/** How long the bridge waits before it looks at an operation again, in milliseconds: at first, and at most. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 2_000;

/**
 * What `stream` has, and, if that ends before the operation does, what the upstream tells of it when it is asked once more.
 * @throws UpstreamError UNAVAILABLE where that ends early as well.
 */
export async function* toTheEnd(
  stream: AsyncIterable<Buffer>,
  scope: Scope,
  manner: OperationManner,
): Operations {
  let name = "";
  for await (const operation of stream) {
    name = nameOf(operation) || name;
    yield operation;
    if ((await endOf(operation)) !== null) return;
  }
  if (name === "") throw endedEarly();
  for await (const operation of waitFor(name, () => scope.port.waitExecution(name), scope, manner)) {
    yield operation;
    if ((await endOf(operation)) !== null) return;
  }
  throw endedEarly();
}

/** The operation of that name by WaitExecution, which `wait` calls; where there is no such method, by looking at it now and then. */
export async function* waitFor(
  name: string,
  wait: () => AsyncIterable<Buffer>,
  scope: Scope,
  manner: OperationManner,
): Operations {
  if (manner.polls !== true) {
    let begun = false;
    try {
      for await (const operation of wait()) {
        begun = true;
        yield operation;
      }
      return;
    } catch (error) {
      if (begun || !isLacking(error)) throw known(error, manner);
    }
  }
  try {
    yield* polled(name, scope);
  } catch (error) {
    throw known(error, manner);
  }
}

/** Whether a failure says that the upstream does not have the method. */
export function isLacking(error: unknown): boolean {
  return error instanceof UpstreamError && error.code === Status.UNIMPLEMENTED;
}

/** A failure with NOT_FOUND in place of the codes by which this upstream says that it does not know an operation (D46). */
function known(error: unknown, { unknown = [] }: OperationManner): unknown {
  if (!(error instanceof UpstreamError) || !unknown.includes(error.code)) return error;
  return new UpstreamError(Status.NOT_FOUND, error.message, undefined, error.cause);
}

async function* polled(name: string, { port, call }: Scope): Operations {
  let before: Buffer | null = null;
  for (let pause = FIRST_PAUSE; ; pause = Math.min(LONGEST_PAUSE, pause * 1.5)) {
    const operation = await port.getOperation(name);
    const isOver = (await endOf(operation)) !== null;
    if (isOver || before === null || !before.equals(operation)) yield operation;
    if (isOver) return;
    before = operation;
    await sleep(pause, undefined, { signal: call.cancelled }).catch(() => {
      throw new UpstreamError(Status.CANCELLED, "the caller cancelled the call");
    });
  }
}

function endedEarly(): UpstreamError {
  return new UpstreamError(
    Status.UNAVAILABLE,
    "the upstream ended the stream of an operation before the operation was over; execute again",
  );
}
