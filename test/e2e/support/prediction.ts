import type { Explanation } from "../../../src/plan/explain.ts";
import { MAIN } from "./bridge.ts";
import { succeed } from "./command.ts";

/** What has to come of a build, by what `explain` says of the client at the server. */
export interface Prediction {
  /**
   * - `builds`: everything is built.
   * - `stops`: the client finds its API versions unsupported.
   * - `refused`: something that every build needs is refused by name.
   * - `fails`: nobody makes the directories of outputs, so that commands which need them fail by themselves.
   */
  readonly kind: "builds" | "stops" | "refused" | "fails";
  /** The items of the catalogue of differences that a refusal may name; also where the client stops, if it goes on in spite of that. */
  readonly drift: readonly string[];
  /** Whether the server executes; else it is a cache. */
  readonly executes: boolean;
}

/** Refusals of what no build of the workspace does: it has no commands with a working directory. */
const NOT_IN_WORKSPACE: readonly string[] = ["argv0"];

/** Asks the command `explain`, as a user would, about a client at a running server; `profile` is the one that the bridge is told, if any. */
export async function predict(client: string, address: string, profile: string | null): Promise<Prediction> {
  const args = [MAIN, "explain", "--client", client, "--server", address, "--json"];
  const env: Record<string, string> = profile === null ? {} : { REAPI_BRIDGE_UPSTREAM_PROFILE: profile };
  return predictionOf(JSON.parse(await succeed(process.execPath, args, { env })) as Explanation);
}

function predictionOf({ versions, rows, methods }: Explanation): Prediction {
  const refused = rows.filter(
    ({ feature, verdict, use }) =>
      verdict === "reject" && use === "always" && !NOT_IN_WORKSPACE.includes(feature),
  );
  const stops = versions.clients.some(({ verdict }) => verdict === "refuses");
  const left = rows.some(({ feature, direction, to }) => {
    return feature === "output-parents" && direction === "toServer" && to === "left";
  });
  return {
    kind: stops ? "stops" : refused.length > 0 ? "refused" : left ? "fails" : "builds",
    drift: refused.flatMap(({ drift }) => drift),
    executes: !methods.some(({ path, lane }) => path.endsWith(".Execution/Execute") && lane === "reject"),
  };
}
