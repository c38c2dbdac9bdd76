import type { PeerFacts, Support } from "../../peers/dialect.ts";
import { UpstreamError } from "../../upstream/upstream-error.ts";
import { readBadRequest } from "../../wire/error-details.ts";
import { payloadsOf, textIn } from "../../wire/fields.ts";
import { joined } from "../../wire/rewrite.ts";
import { Status } from "../../wire/status.ts";
import { detailType } from "../../wire/status-details.ts";
import { assumed, pass } from "../declare.ts";
import { ids } from "../names.ts";
import type { Call, Forward, Pair, Translator } from "../translator.ts";
import { ASSET, CHECKSUM, editQualifiers, FETCHES, QUALIFIERS } from "./messages.ts";

/** What the field of such a violation is called. */
const FIELD = "qualifiers.name";

/**
 * Qualifiers that a server does not support (P12): it has to refuse them by name. Where the policy wants it and the server is
 * known to be strict, a fetch that is refused so is tried once more without them, if a checksum remains: then what comes is what was meant, or nothing.
 */
export const assetQualifiers: Translator = {
  feature: {
    id: "asset-qualifiers",
    title: "Qualifiers that a server of assets does not support",
    since: "ahead",
    drift: ["P12", "D56"],
    why: "A fetch fails over a qualifier that says nothing about the content.",
    forms: {
      supported: "qualifiers that the server does not support are refused",
      any: "they may be left aside where the others suffice",
    },
  },
  owns: ["behaviour:asset-qualifier-error", ...ids(`${ASSET}.Qualifier`, ["name", "value"])],
  after: [],
  clientAhead:
    "passes; if required by policy, a refused fetch is tried without them where a checksum remains",
  serverAhead: "passes: a qualifier that a server leaves aside does no harm",
  support,
  // What a server is not known to refuse it refuses by itself, if at all.
  assume: { client: assumed(["any", "supported"], ["any"]), server: assumed(["any", "supported"], ["any"]) },
  toServer: {
    supported: { any: pass("a server that supports more takes less as well") },
    any: {
      supported: {
        kind: "translate",
        methods: Object.fromEntries(FETCHES.map((path) => [path, { exchange: fetched }])),
        optIn: "the server refuses by name what it does not support, and the client decides",
      },
    },
  },
  toClient: pass("replies repeat qualifiers that were sent"),
};

function support({ role, facts }: PeerFacts): Support | null {
  const assets = role === "server" ? (facts as PeerFacts<"server">["facts"])?.assets : undefined;
  if (assets?.qualifiers !== "refused") return null;
  const evidence = { source: "profile", note: assets.evidence } as const;
  return { reads: ["supported"], writes: ["supported"], evidence };
}

async function* fetched(
  requests: AsyncIterable<Buffer>,
  call: Call,
  _: Pair,
  forward: Forward,
): AsyncGenerator<readonly Buffer[]> {
  for await (const request of requests) {
    try {
      for await (const reply of forward([request])) yield [reply];
    } catch (error) {
      const again = withoutRefused(request, call.method, error);
      if (again === null) throw error;
      call.count("repeated");
      for await (const reply of forward([again])) yield [reply];
    }
  }
}

/** The request without the qualifiers that the error names; null if it names none of them, or no checksum is left. */
function withoutRefused(request: Buffer, method: string, error: unknown): Buffer | null {
  if (!(error instanceof UpstreamError) || error.code !== Status.INVALID_ARGUMENT) return null;
  const said = error.details
    .filter((detail) => detailType(detail) === "google.rpc.BadRequest")
    .flatMap(({ value }) => readBadRequest(value))
    .filter(({ field }) => field === FIELD)
    // They stand in quotes among the words.
    .flatMap(({ description }) => description.split(/[\s"'`,;]+/));
  const field = QUALIFIERS[method]!;
  const names = payloadsOf(request, field).map((qualifier) => textIn(qualifier, 1));
  const refused = new Set(names.filter((name) => said.includes(name)));
  if (refused.size === 0 || refused.has(CHECKSUM) || !names.includes(CHECKSUM)) return null;
  const slices = editQualifiers(request, field, (name, value) => (refused.has(name) ? null : value));
  return joined(slices, request);
}
