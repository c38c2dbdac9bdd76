import type { MethodPlan } from "../../plan/plan.ts";
import { editRequest, editResponse } from "../../plan/run-hooks.ts";
import type { UpstreamDialect } from "../../upstream/dialect.ts";
import type { CallHandler, OpenedCall } from "../messages/opened-call.ts";
import type { OwnCall } from "../messages/own-call.ts";
import { responseMetadata } from "../messages/response-metadata.ts";
import { type HookCall, hookCall } from "./hook-call.ts";
import { instanceOf } from "./instance-of.ts";

/** What is made of the responses of a call before the client gets them. */
export type ResponseEdit = (message: Buffer, call: HookCall) => Promise<Buffer>;

/** Serves the calls of a method whose messages are edited, message by message, on their way to the upstream and back. */
export function translate(plan: MethodPlan, dialect: UpstreamDialect): CallHandler {
  return edited(plan, dialect, (message, call) => editResponse(plan, message, call));
}

/** The same with another edit of the responses. */
export function edited(plan: MethodPlan, dialect: UpstreamDialect, response: ResponseEdit): CallHandler {
  return async (opened) => {
    const requests = opened.requests();
    const { value } = await requests.next();
    const first = value ?? null;
    const call = hookCall(opened, dialect, first === null ? "" : instanceOf(opened.method, first));
    try {
      const upstream = opened.call(opened.method);
      let failure: { readonly error: unknown } | null = null;
      const sent = send(plan, first, requests, upstream, call).catch((error: unknown) => {
        failure = { error };
        upstream.cancel();
      });
      try {
        await receive(opened, upstream, (message) => response(message, call));
      } catch (error) {
        // A hook that refused the request has ended the upstream's answer as well.
        throw failure === null ? error : (failure as { error: unknown }).error;
      }
      await sent;
    } finally {
      call.close();
    }
  };
}

async function send(
  plan: MethodPlan,
  first: Buffer | null,
  requests: AsyncGenerator<Buffer, void, void>,
  upstream: OwnCall,
  call: HookCall,
): Promise<void> {
  if (first !== null) await upstream.write([await editRequest(plan, first, call)]);
  for await (const message of requests) await upstream.write([await editRequest(plan, message, call, false)]);
  await upstream.end();
}

/** Passes the answer on: metadata, messages as `edit` makes them, and trailers. */
async function receive(
  opened: OpenedCall,
  upstream: OwnCall,
  edit: (message: Buffer) => Promise<Buffer>,
): Promise<void> {
  void upstream.head.then(
    (fields) => opened.head(responseMetadata(fields)),
    // The messages tell.
    () => {},
  );
  for await (const message of upstream.messages()) await opened.respond([await edit(message)]);
  opened.addTrailers(responseMetadata(await upstream.trailers));
}
