import { UpstreamError } from "../../upstream/upstream-error.ts";
import { messageIn } from "../../wire/fields.ts";
import { Status } from "../../wire/status.ts";
import { assumed, byLevel, pass } from "../declare.ts";
import type { Translator } from "../translator.ts";
import { ASSET, FETCHES, ReplyField } from "./messages.ts";

const MARKER = "behaviour:asset-exhausted";

const STAYS = pass("an error stays an error, whichever code it has");

/**
 * Errors inside of asset replies (D56). Since 2.5 the status in a reply of Fetch may be RESOURCE_EXHAUSTED. A client from before may not know what to make of
 * that; as the status of the call itself, every client knows it and tries again later.
 */
export const assetErrors: Translator = {
  feature: {
    id: "asset-errors",
    title: "Errors inside of asset replies",
    since: "2.5",
    drift: ["D56"],
    why: "A client may take a code that it does not know for the end of the build.",
    forms: { few: "the codes of 2.2 in replies", more: "also RESOURCE_EXHAUSTED" },
  },
  owns: [MARKER, `${ASSET}.FetchBlobResponse.status`, `${ASSET}.FetchDirectoryResponse.status`],
  after: ["asset-digest-function"],
  clientAhead: "passes: an error stays an error",
  serverAhead: "passes; if required by policy, RESOURCE_EXHAUSTED becomes the status of the call",
  support: byLevel({
    element: MARKER,
    without: { reads: ["few"], writes: ["few"] },
    with: { reads: ["more", "few"], writes: ["more"] },
  }),
  assume: { client: assumed(["more", "few"], ["more"]), server: assumed(["few"], ["few"]) },
  toServer: pass("requests carry no status"),
  toClient: {
    few: { more: STAYS },
    more: {
      few: {
        kind: "translate",
        methods: Object.fromEntries(FETCHES.map((path) => [path, { response: raised }])),
        optIn: "an error stays an error, whichever code it has",
      },
    },
  },
};

/** @throws UpstreamError for a reply whose status is RESOURCE_EXHAUSTED, with its details. */
function raised(message: Buffer): null {
  const status = messageIn(message, ReplyField.status);
  const failure = status === null ? null : UpstreamError.ofMessage(status);
  if (failure?.code === Status.RESOURCE_EXHAUSTED) throw failure;
  return null;
}
