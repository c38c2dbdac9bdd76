import type { CallHandler } from "./opened-call.ts";
import type { FilterMaker } from "./relay-filter.ts";

/** How the calls of a method travel, if they are not simply relayed. */
export type Route =
  | { readonly lane: "translate" | "local" | "reject"; readonly handle: CallHandler }
  /** Relayed, while a filter watches or changes the request. */
  | { readonly lane: "relay"; readonly filter: FilterMaker };

/** Routes by method, `/package.Service/Method`. Methods without one are relayed. */
export type Routes = ReadonlyMap<string, Route>;
