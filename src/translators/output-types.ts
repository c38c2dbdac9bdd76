import { assumed, byLevel, pass } from "./declare.ts";
import type { Translator } from "./translator.ts";

/**
 * Outputs of another type than the typed lists declare (D26). What a server makes of them stands; where the bridge itself sees the types, as the server was
 * given output_paths in place of those lists or cut the outputs out of a Tree, it goes by the rule of the client (`declared-types.ts`).
 */
export const outputTypes: Translator = {
  feature: {
    id: "output-types",
    title: "Outputs of another type than declared",
    since: "2.0",
    drift: ["D26"],
    why: "One server leaves them out, another calls it an error.",
    forms: { omitted: "they are left out", error: "they are an error" },
  },
  owns: ["behaviour:wrong-type-error"],
  after: [],
  clientAhead: "passes: an output that the server left out is missing to the client, which says so",
  serverAhead:
    "passes: an error in place of an omission hides nothing; the server's text names the path, and there is no result of which a part could be told",
  support: byLevel({
    element: "behaviour:wrong-type-error",
    without: { reads: ["omitted"], writes: ["omitted"] },
    with: { reads: ["error", "omitted"], writes: ["error"] },
  }),
  assume: {
    client: assumed(["error", "omitted"], ["omitted"]),
    server: assumed(["omitted"], ["omitted", "error"]),
  },
  toServer: pass("what becomes of an output is the server's answer; no request says anything of it"),
  toClient: {
    omitted: { error: pass("a client misses the output itself and says so") },
    error: { omitted: pass("an error in place of an omission hides nothing") },
  },
};
