import type { Field } from "../../http2/hpack/field.ts";
import type { BoundExchange, EngineCall, MethodPlan } from "../../plan/plan.ts";
import { editRequest, editResponse } from "../../plan/run-hooks.ts";
import type { FirstMessage, Forward, Pair } from "../../translators/translator.ts";
import { exchange } from "../../upstream/exchange.ts";
import { joined } from "../../wire/rewrite.ts";
import { Status } from "../../wire/status.ts";
import { CallError } from "../messages/call-error.ts";
import type { CallHandler, OpenedCall } from "../messages/opened-call.ts";
import type { OwnCall } from "../messages/own-call.ts";
import { responseMetadata } from "../messages/response-metadata.ts";
import { type HookCall, hookCall } from "./hook-call.ts";
import { instanceOf } from "./instance-of.ts";
import type { LaneContext } from "./plan-routes.ts";

/** What is made of the messages of a response before the client gets them; `from` is who made the response. */
export type ResponseEdit = (message: Buffer, call: HookCall, from: "upstream" | "bridge") => Promise<Buffer>;

/**
 * Serves the calls of a method whose messages are edited, message by message, on their way to the upstream and back, or which a hook answers in
 * place of the upstream. `edit` replaces what the plan does to responses, and sees answers of hooks, too.
 */
export function translate(
  plan: MethodPlan,
  pair: Pair,
  context: LaneContext,
  edit?: ResponseEdit,
): CallHandler {
  const respond: ResponseEdit = edit ?? ((message, call) => editResponse(plan, message, call));
  return async (opened) => {
    const requests = opened.requests();
    const { value } = await requests.next();
    const first = value ?? null;
    const sole = context.rename !== undefined;
    const instance = first === null ? "" : instanceOf(opened.method, first, sole);
    const call = hookCall(opened, context, instance);
    try {
      const answer = first === null ? null : await answerOf(plan, pair, first, requests, call);
      const served = { opened, plan, pair, call, edit: respond };
      const exchanges =
        first === null ? [] : exchangesOf(plan, { bytes: first, whole: true, length: first.length });
      if (answer === null && plan.engine !== null) {
        await serve(served, chained(first, requests), plan.engine);
      } else if (answer === null && exchanges.length > 0) {
        await within(served, chained(first, requests), exchanges);
      } else if (answer === null) {
        await forward(served, chained(first, requests));
      } else {
        for await (const message of answer) {
          await opened.respond(
            edit === undefined ? message : [await edit(joined(message, EMPTY), call, "bridge")],
          );
        }
      }
    } finally {
      call.close();
    }
  };
}

const EMPTY = Buffer.alloc(0);

/** The answer of the first hook that has one. */
async function answerOf(
  { answers }: MethodPlan,
  pair: Pair,
  first: Buffer,
  requests: AsyncIterable<Buffer>,
  call: HookCall,
): Promise<AsyncIterable<readonly Buffer[]> | null> {
  for (const hook of answers) {
    const answer = await hook(first, requests, call, pair);
    if (answer !== null) return answer;
  }
  return null;
}

/** What serves a call that begins so, the outermost first. */
function exchangesOf({ exchanges }: MethodPlan, first: FirstMessage): BoundExchange["serve"][] {
  return exchanges.flatMap(({ when, serve }) => (when === null || when(first) ? [serve] : []));
}

async function* chained(first: Buffer | null, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (first === null) return;
  yield first;
  yield* rest;
}

/** A call, and what is done to its messages. */
interface Served {
  readonly opened: OpenedCall;
  readonly plan: MethodPlan;
  readonly pair: Pair;
  readonly call: HookCall;
  readonly edit: ResponseEdit;
}

async function forward(served: Served, requests: AsyncIterable<Buffer>): Promise<void> {
  const { opened } = served;
  const upstream = opened.call(opened.method);
  let failure: { readonly error: unknown } | null = null;
  const sent = send(served, requests, upstream).catch((error: unknown) => {
    failure = { error };
    upstream.cancel();
  });
  try {
    await receive(served, upstream);
  } catch (error) {
    // A hook that refused the request has ended the upstream's answer as well.
    throw failure === null ? error : (failure as { error: unknown }).error;
  }
  await sent;
}

/** Has the engine serve a call with one request. */
async function serve(served: Served, requests: AsyncIterable<Buffer>, engine: EngineCall): Promise<void> {
  const { plan, call } = served;
  const request = await editRequest(plan, await sole(requests), call);
  await answerWith(served, (forward) => engine(request, call, (message) => forward([message])));
}

/** Has exchanges serve a call, each within the one before. */
async function within(
  served: Served,
  requests: AsyncIterable<Buffer>,
  exchanges: readonly BoundExchange["serve"][],
): Promise<void> {
  const { call, pair } = served;
  await answerWith(served, (forward) => {
    const inner = exchanges.reduceRight<Forward>(
      (next, serveCall) => (messages) => whole(serveCall(inOrder(messages), call, pair, next)),
      forward,
    );
    return inner(editedRequests(served, requests));
  });
}

/** Answers with what `make` makes. What it forwards goes to the upstream, whose metadata and trailers go to the client: those of the last call. */
async function answerWith(
  { opened, plan, pair, call, edit }: Served,
  make: (forward: Forward) => AsyncIterable<Buffer>,
): Promise<void> {
  let trailers: readonly Field[] = [];
  let messages = make(async function* (requests) {
    const upstream = opened.call(opened.method);
    passHead(opened, upstream);
    yield* exchange(() => upstream, inSlices(requests));
    trailers = responseMetadata(await upstream.trailers);
  });
  for (const { response } of plan.streams.toReversed()) {
    if (response !== undefined) messages = whole(response(messages, call, pair));
  }
  for await (const message of messages) await opened.respond([await edit(message, call, "upstream")]);
  opened.addTrailers(trailers);
}

async function* inOrder(messages: Parameters<Forward>[0]): AsyncGenerator<Buffer> {
  for await (const message of messages) yield Buffer.isBuffer(message) ? message : joined(message, EMPTY);
}

async function* inSlices(messages: Parameters<Forward>[0]): AsyncGenerator<readonly Buffer[]> {
  for await (const message of messages) yield Buffer.isBuffer(message) ? [message] : message;
}

/** The only message of a unary request. */
async function sole(requests: AsyncIterable<Buffer>): Promise<Buffer> {
  let only: Buffer | null = null;
  for await (const request of requests) {
    if (only !== null) throw new CallError(Status.INTERNAL, "the request has more than one message");
    only = request;
  }
  if (only === null) throw new CallError(Status.INTERNAL, "the request has no message");
  return only;
}

function passHead(opened: OpenedCall, upstream: OwnCall): void {
  void upstream.head.then(
    (fields) => opened.head(responseMetadata(fields)),
    // The messages tell.
    () => {},
  );
}

async function send(served: Served, requests: AsyncIterable<Buffer>, upstream: OwnCall): Promise<void> {
  for await (const message of editedRequests(served, requests)) await upstream.write([message]);
  await upstream.end();
}

/** The requests as the upstream gets them. */
function editedRequests(
  { plan, pair, call }: Served,
  requests: AsyncIterable<Buffer>,
): AsyncIterable<Buffer> {
  let messages: AsyncIterable<Buffer> = edited(requests, (message, first) =>
    editRequest(plan, message, call, first),
  );
  for (const { request } of plan.streams) {
    if (request !== undefined) messages = whole(request(messages, call, pair));
  }
  return messages;
}

/** Passes the answer on: metadata, messages as `edit` makes them, and trailers. */
async function receive({ opened, plan, pair, call, edit }: Served, upstream: OwnCall): Promise<void> {
  passHead(opened, upstream);
  let messages: AsyncIterable<Buffer> = upstream.messages();
  for (const { response } of plan.streams.toReversed()) {
    if (response !== undefined) messages = whole(response(messages, call, pair));
  }
  for await (const message of messages) await opened.respond([await edit(message, call, "upstream")]);
  // A hook that answered in place of a failure has no trailers to pass on.
  opened.addTrailers(responseMetadata(await upstream.trailers.catch(() => [])));
}

async function* edited(
  messages: AsyncIterable<Buffer>,
  edit: (message: Buffer, first: boolean) => Promise<Buffer>,
): AsyncGenerator<Buffer> {
  let first = true;
  for await (const message of messages) {
    yield await edit(message, first);
    first = false;
  }
}

async function* whole(messages: AsyncIterable<readonly Buffer[]>): AsyncGenerator<Buffer> {
  for await (const slices of messages) yield joined(slices, EMPTY);
}
