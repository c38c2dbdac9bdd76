/** What comes of one thing that a client does. */
import type { SampleReport } from "../../../src/client/run-sample.ts";
import type { Failure } from "../../peers/client/failure.ts";
import type { PlayedClient } from "../../peers/client/play-client.ts";

type BuildOutcome = Awaited<ReturnType<PlayedClient["build"]>>;
type RoundTrip = Awaited<ReturnType<PlayedClient["cacheRoundTrip"]>>;

/** From best to worst: all is there; the bridge said what is not served; some error; something is missing and nobody said so. */
export type Outcome =
  | { readonly kind: "ok" }
  | { readonly kind: "refused"; readonly feature: string; readonly text: string }
  | { readonly kind: "failed"; readonly text: string }
  | { readonly kind: "lost"; readonly text: string };

export const OK: Outcome = { kind: "ok" };

/** How an error counts: a refusal if it is the bridge's, by name. */
export function ofFailure(failure: Pick<Failure, "errorInfo"> | null, text: string): Outcome {
  const info = failure?.errorInfo;
  if (info?.domain !== "reapi-bridge" || info.reason !== "REAPI_FEATURE_UNSUPPORTED")
    return { kind: "failed", text };
  const { feature = "" } = info.metadata;
  return { kind: "refused", feature, text };
}

/** Of a build, which its client may think to be well when it is not. */
export function ofBuild({ deadly, failure, report }: BuildOutcome): Outcome {
  if (failure !== null || report === null) return ofFailure(failure, deadly ?? "it stopped");
  const wrong = report.wrong.filter((line) => !isFollowed(line, report.outputs));
  if (wrong.length > 0) return { kind: "lost", text: wrong.join("; ") };
  // An output that is not to come is missing wherever the action runs.
  const isOwn = deadly !== null && report.missing.length > 0 && report.unasked.length === 0;
  return deadly === null || isOwn ? OK : { kind: "failed", text: deadly };
}

/** Some servers follow links among outputs: what they lead to is there, and nothing is lost but that it was a link. */
function isFollowed(line: string, outputs: SampleReport["outputs"]): boolean {
  const [, path = ""] = /^the output (link(?:\.txt)?) is not what it should be$/.exec(line) ?? [];
  const output = outputs.get(path);
  if (output?.kind === "file") return output.content.toString() === "real\n";
  return output?.kind === "directory" && output.entries.has("in.txt");
}

/** Of a round trip to a cache. */
export function ofRoundTrip({ blob, result, deadly, failure }: RoundTrip): Outcome {
  if (deadly !== null) return ofFailure(failure, deadly);
  if (blob !== true) return { kind: "lost", text: "a blob does not come back" };
  return result === false ? { kind: "lost", text: "a result does not come back whole" } : OK;
}

/** In a word, for tables. */
export function word(outcome: Outcome): string {
  return outcome.kind === "refused" ? `refused:${outcome.feature}` : outcome.kind;
}

/** The same for a person who looks for the cause. */
export function text(outcome: Outcome): string {
  return outcome.kind === "ok" ? "ok" : `${word(outcome)} (${outcome.text})`;
}
