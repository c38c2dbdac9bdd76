/** Answers writes that the upstream refuses, for clients that stop where they may not write (D52). */
import type { Dialect } from "../../peers/dialect.ts";
import { Status } from "../../wire/status.ts";
import { Walker, WireType } from "../../wire/walker.ts";
import type { Call, Pair } from "../translator.ts";
import { UpdateField } from "../update-request.ts";

const ID = "cache-writes";

/** What an upstream ends a write with that is not allowed, for this caller or at all. */
const REFUSED: readonly unknown[] = [Status.PERMISSION_DENIED, Status.UNIMPLEMENTED];

/** Servers whose refusals the log tells of already. */
const told = new WeakSet<Dialect>();

/** Notes the result that is to be written, as the client gave it. */
export function noteResult(request: Buffer, { scratch }: Call): null {
  let result: Buffer = Buffer.alloc(0);
  const field = new Walker(request);
  while (field.next())
    if (field.number === UpdateField.result && field.wireType === WireType.LEN) result = field.bytes();
  scratch.set(ID, result);
  return null;
}

/** The upstream's answer, or in place of its refusal the result as it was given. */
export async function* orGiven(
  answers: AsyncIterable<Buffer>,
  call: Call,
  { server }: Pair,
): AsyncGenerator<readonly Buffer[]> {
  try {
    for await (const answer of answers) yield [answer];
  } catch (error) {
    const given = call.scratch.get(ID) as Buffer | undefined;
    if (given === undefined || !REFUSED.includes((error as { code?: unknown }).code)) throw error;
    tell(server, call, (error as Error).message);
    yield [given];
  }
}

/** Answers for a server without the method, with the result as it was given. */
export async function answerGiven(
  first: Buffer,
  _requests: unknown,
  call: Call,
  { server }: Pair,
): Promise<AsyncIterable<readonly Buffer[]>> {
  noteResult(first, call);
  tell(server, call, "it does not have the method");
  const given = call.scratch.get(ID) as Buffer;
  return (async function* () {
    yield [given];
  })();
}

function tell(server: Dialect, { log, upstream, count }: Call, reason: string): void {
  count("dropped");
  if (told.has(server)) return;
  told.add(server);
  log.warn(
    { upstream, reason },
    "results of the client are not stored: the upstream refuses them, and the client would stop if it were told so",
  );
}
