import { Status } from "../wire/status.ts";
import { WireError } from "../wire/wire-error.ts";
import type { CallFailure, UpstreamCall } from "./caller.ts";
import { UpstreamError } from "./upstream-error.ts";

/** A message in slices. */
export type Message = readonly Buffer[];

/**
 * Opens a call, sends `requests` and yields the responses. An upstream that answers before it has all requests gets no more of them. The
 * call is over when the generator is, or when `stop` is aborted. Throws what `requests` throw, or an UpstreamError.
 */
export async function* exchange(
  open: () => UpstreamCall,
  requests: Iterable<Message> | AsyncIterable<Message>,
  stop: AbortSignal | null = null,
): AsyncGenerator<Buffer, void, void> {
  const call = open();
  const cancel = (): void => call.cancel();
  stop?.addEventListener("abort", cancel);
  if (stop?.aborted === true) cancel();
  const responses = call.messages();
  let answered = false;
  // Asked for first: whoever waits for room to write must hear that the upstream has ended the call.
  const first = responses.next().finally(() => {
    answered = true;
  });
  const sent = send(call, requests, () => answered);
  for (const promise of [first, sent]) promise.catch(() => {});
  try {
    await Promise.race([sent, first]);
    for (let next = await first; next.done !== true; next = await responses.next()) yield next.value;
  } catch (error) {
    throw toUpstreamError(error);
  } finally {
    answered = true;
    stop?.removeEventListener("abort", cancel);
    cancel();
  }
}

async function send(
  call: UpstreamCall,
  requests: Iterable<Message> | AsyncIterable<Message>,
  answered: () => boolean,
): Promise<void> {
  for await (const request of requests) {
    if (answered()) return;
    await call.write(request);
  }
  if (!answered()) await call.end();
}

/**
 * The only response of a call of `path`, a method that has one.
 * @throws UpstreamError INTERNAL if there is none, or another.
 */
export async function onlyResponse(path: string, responses: AsyncIterable<Buffer>): Promise<Buffer> {
  let only: Buffer | null = null;
  for await (const response of responses) {
    if (only !== null) throw unusable(path, "it has more than one message");
    only = response;
  }
  if (only === null) throw unusable(path, "it has no message");
  return only;
}

/** Reads an answer of the method at `path`. @throws UpstreamError INTERNAL where `read` throws a WireError. */
export function readAnswer<Answer>(path: string, read: () => Answer): Answer {
  try {
    return read();
  } catch (error) {
    throw error instanceof WireError ? unusable(path, error.message, error) : error;
  }
}

/** The error of an answer that is not what the API says of the method at `path`; `why` is a sentence about it. */
export function unusable(path: string, why: string, cause?: unknown): UpstreamError {
  const method = path.slice(path.lastIndexOf("/") + 1);
  const message = `the upstream's answer to ${method} cannot be used: ${why}`;
  return new UpstreamError(Status.INTERNAL, message, undefined, cause);
}

/** Anything but the failure of a call is a defect, or the business of who gave the requests, and stays what it is. */
function toUpstreamError(error: unknown): unknown {
  if (error instanceof UpstreamError || !isCallFailure(error)) return error;
  return new UpstreamError(error.code, error.message, error.details, error);
}

function isCallFailure(error: unknown): error is CallFailure {
  return error instanceof Error && typeof (error as Partial<CallFailure>).code === "number";
}
