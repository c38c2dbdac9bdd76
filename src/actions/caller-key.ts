/** Which calls are of one caller, as far as a server can tell (law 10). */
import { createHash } from "node:crypto";
import type { Call } from "../translators/translator.ts";

/** Headers that say something of one call alone, and never who makes it: whatever is not in this list may. */
const OF_ONE_CALL = new Set([
  "build.bazel.remote.execution.v2.requestmetadata-bin",
  "build.bazel.remote.execution.v2.resource-name",
  "grpc-timeout",
  "grpc-previous-rpc-attempts",
  "grpc-trace-bin",
  "grpc-tags-bin",
  "traceparent",
  "tracestate",
  "baggage",
  "b3",
  "x-b3-traceid",
  "x-b3-spanid",
  "x-b3-parentspanid",
  "x-b3-sampled",
  "x-b3-flags",
  "uber-trace-id",
  "x-amzn-trace-id",
  "x-cloud-trace-context",
  "x-request-id",
  "x-correlation-id",
]);

const keys = new WeakMap<Call, string>();

/** Equal for calls that send the same metadata, but for what is of one call alone. It does not tell them. */
export function callerKey(call: Call): string {
  let key = keys.get(call);
  if (key === undefined) {
    const hash = createHash("sha256");
    for (const [name, value] of call.metadata) if (!OF_ONE_CALL.has(name)) hash.update(`${name}\0${value}\0`);
    key = hash.digest("base64");
    keys.set(call, key);
  }
  return key;
}
