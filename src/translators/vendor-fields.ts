import { assumed, pass } from "./declare.ts";
import type { Translator } from "./translator.ts";

/**
 * What vendors added (D59): fields from 99 on, and services of their own (P23, P24). They pass as they are, and a method that an upstream lacks is for the
 * upstream to refuse. One field stays behind, cached_action_result_digest, where results are edited on their way back: `actions/look-up.ts`.
 */
export const vendorFields: Translator = {
  feature: {
    id: "vendor-fields",
    title: "Fields and services of vendors",
    since: "quirk",
    drift: ["D59", "P23", "P24"],
    why: "They are not part of the specification.",
    forms: { none: "nothing beyond the specification", some: "fields from 99 on, services of their own" },
  },
  owns: ["behaviour:vendor-extensions"],
  after: [],
  clientAhead:
    "passes; a client that says which result it has already is not heard where results are translated, since it has another one",
  serverAhead: "passes: unknown fields and methods reach the client as they are",
  support: () => null,
  assume: { client: assumed(["some", "none"], ["some"]), server: assumed(["some", "none"], ["some"]) },
  toServer: pass("unknown fields and methods reach the upstream as they are"),
  toClient: pass("unknown fields and methods reach the client as they are"),
};
