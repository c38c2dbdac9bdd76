/**
 * A translator to begin a new one from: copy it to `src/translators/<feature>.ts`, add a line to `registry.ts`, and follow
 * docs/adding-a-feature.md. It is compiled and tested like all others, with an invented feature: since "2.1" greetings are written in lower
 * case, and older servers read upper case only.
 */
import { assumed, byLevel, pass } from "../../../src/translators/declare.ts";
import { editTexts } from "../../../src/translators/edit-texts.ts";
import { FIND_MISSING_BLOBS } from "../../../src/translators/methods.ts";
import type { Reject, Translate, Translator } from "../../../src/translators/translator.ts";

/** Field number of the greeting in FindMissingBlobsRequest, which does not exist. */
const GREETING = 900;

/** Letters of which the other case does not lead back have no form that an older server reads. */
const WITHOUT_CASE: Reject = {
  kind: "reject",
  code: "request-unsupported",
  has: "reads greetings in upper case only",
  fix: "greet in letters that have an upper case",
  uses: [
    {
      in: "request",
      methods: [FIND_MISSING_BLOBS],
      used: {
        what: "FindMissingBlobsRequest.greeting",
        element: null,
        text: "greeting",
        path: [GREETING],
        holds: (payload) => payload.toString().toUpperCase().toLowerCase() !== payload.toString(),
      },
    },
  ],
};

const UPPER: Translate = {
  kind: "translate",
  methods: {
    // Null leaves the very buffer; that is what nearly all messages get.
    [FIND_MISSING_BLOBS]: {
      request: (message) => editTexts(message, [[GREETING]], (text) => text.toUpperCase()),
    },
  },
  refuse: WITHOUT_CASE,
};

/** What differs, in a sentence, with the item of the catalogue; and what follows from it. */
export const template: Translator = {
  feature: {
    id: "template",
    title: "Greetings",
    since: "2.1",
    drift: ["D04"],
    why: "A server that does not understand a greeting does not answer.",
    forms: { upper: "in upper case", lower: "in lower case" },
  },
  // Entries of the ledger, taken from the owner they had; this feature has none.
  owns: [],
  // Others that hook the same requests: a check names those that are missing here.
  after: ["digest-function-field", "hash-text"],
  clientAhead: "written in upper case; what has none is refused",
  serverAhead: "passes: newer servers read both",
  support: byLevel({
    element: "build.bazel.remote.execution.v2.Command.output_paths",
    without: { reads: ["upper"], writes: ["upper"] },
    with: { reads: ["lower", "upper"], writes: ["lower"] },
  }),
  // Right for every peer of which nothing is known: servers are old, clients are new.
  assume: { client: assumed(["lower", "upper"], ["lower"]), server: assumed(["upper"], ["upper"]) },
  toServer: {
    lower: { upper: UPPER },
    upper: { lower: pass("newer servers read both") },
  },
  toClient: pass("no response has a greeting"),
};
