/** Names and types of what clients send and get. */
import type { MessageName } from "../spec/codec.ts";
import type { Messages } from "../spec/generated/messages.ts";

/** A message of the execution package. */
export type Api<Name extends string> = Messages[Extract<
  `build.bazel.remote.execution.v2.${Name}`,
  MessageName
>];

/** The `:path` of a method of the execution package, given as `Service/Method`. */
export function methodPath(method: string): string {
  return `/build.bazel.remote.execution.v2.${method}`;
}
