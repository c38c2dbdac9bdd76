import { isSet, payloadsOf, withPayloads } from "../wire/fields.ts";
import { ActionField } from "./action-messages.ts";
import { assumed, byLevel, pass } from "./declare.ts";
import { of } from "./names.ts";
import type { ActionEdit, ActionInputs, ActionMessages, Translator } from "./translator.ts";

const AGAIN = pass("to run an action twice does no harm");

/**
 * Actions that are not to be cached (D43). Since 2.0 two of them must not be merged into one run either. Where the server may do so, and the policy requires
 * it, each execution gets an Action of its own, with a nonce in its salt.
 */
export const uncachedActions: Translator = {
  feature: {
    id: "uncached-actions",
    title: "Actions that are not to be cached",
    since: "2.0",
    drift: ["D43"],
    why: "An older server may merge two runs of one action.",
    forms: { merged: "two at one time may be run once", apart: "each is run" },
  },
  owns: [
    "behaviour:no-merging",
    ...of("Action", "do_not_cache"),
    ...of("ExecuteRequest", "skip_cache_lookup"),
  ],
  after: ["argv0"],
  clientAhead:
    "passes: nothing is cached, and each caller gets the result of a run; with the policy `require` a nonce in the salt keeps runs apart",
  serverAhead: `passes: ${AGAIN.why}`,
  support: byLevel({
    element: "behaviour:no-merging",
    without: { reads: ["merged"], writes: ["merged"] },
    with: { reads: ["apart", "merged"], writes: ["apart"] },
  }),
  assume: { client: assumed(["apart", "merged"], ["apart"]), server: assumed(["merged"], ["merged"]) },
  toServer: {
    apart: {
      merged: {
        kind: "translate",
        content: { nonce: ({ action }) => isSet(action, ActionField.doNotCache), action: salted },
        optIn: "each caller gets the result of a run of its action, and nothing is cached",
      },
    },
    merged: { apart: AGAIN },
  },
  toClient: pass("what was run for a result does not show in it"),
};

/** The nonce goes behind the client's own salt, which still separates what it did. */
function salted({ action }: ActionMessages, { nonce }: ActionInputs): ActionEdit | null {
  if (nonce === null || !isSet(action, ActionField.doNotCache)) return null;
  const own = payloadsOf(action, ActionField.salt).at(-1);
  const salt = own === undefined ? nonce : Buffer.concat([own, nonce]);
  return { action: withPayloads(action, new Map([[ActionField.salt, [salt]]])) };
}
