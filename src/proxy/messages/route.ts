import type { CallHandler } from "./opened-call.ts";

/** How the calls of a method travel, if not in the relay lane. */
export interface Route {
  readonly lane: "translate" | "local" | "reject";
  readonly handle: CallHandler;
}

/** Routes by method, `/package.Service/Method`. Methods without one are relayed. */
export type Routes = ReadonlyMap<string, Route>;
