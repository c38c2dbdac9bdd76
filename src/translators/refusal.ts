/** The errors that plans and hooks refuse calls with. */
import { BridgeError } from "../spec/bridge-error.ts";
import { since } from "../spec/ledger.ts";
import type { Feature, Pair, Reject, UsedThing } from "./translator.ts";

/** What the upstream of a pair has, in the words of a step. */
export function hasText({ has }: Pick<Reject, "has">, pair: Pair): string {
  return typeof has === "string" ? has : has(pair);
}

/** The refusal of a use: what `step` says of the form `from`, with the names of the pair. */
export function refusalOf(
  { feature }: { readonly feature: Pick<Feature, "id" | "drift"> },
  step: Omit<Reject, "kind" | "uses">,
  from: string,
  use: UsedThing,
  pair: Pair,
): BridgeError {
  const { server } = pair;
  const speaks = server.version === null ? "" : ` speaks ${server.version} and`;
  return new BridgeError({
    code: step.code,
    feature: feature.id,
    drift: feature.drift[0] ?? "",
    used: use.what,
    since: use.element === null ? null : since(use.element),
    has: `the upstream "${server.name}"${speaks} ${hasText(step, pair)}`,
    fix: step.fix,
    field: use.text,
    clientForm: from,
    ...(server.version !== null && { upstreamVersion: server.version }),
  });
}
