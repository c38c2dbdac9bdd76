import type { Explanation } from "../../../src/plan/explain.ts";
import { MAIN } from "./bridge.ts";
import { succeed } from "./command.ts";

/** What has to come of a build, by what `explain` says of the client at the server. */
export interface Prediction {
  /**
   * - `builds`: everything is built.
   * - `stops`: the client finds its API versions unsupported.
   * - `refused`: something that every build needs is refused by name.
   */
  readonly kind: "builds" | "stops" | "refused";
  /** The items of the catalogue of differences that a refusal may name; also where the client stops, if it goes on in spite of that. */
  readonly drift: readonly string[];
  /** Whether the server executes; else it is a cache. */
  readonly executes: boolean;
}

/**
 * Asks the command `explain`, as a user would, about a client at an instance of a running server; `profile` is the one that the bridge is told,
 * if any.
 */
export async function predict(
  client: string,
  address: string,
  instance: string,
  profile: string | null,
): Promise<Prediction> {
  const server = ["--server", address, ...(instance === "" ? [] : ["--instance", instance])];
  const args = [MAIN, "explain", "--client", client, ...server, "--json"];
  const env: Record<string, string> = profile === null ? {} : { REAPI_BRIDGE_UPSTREAM_PROFILE: profile };
  return predictionOf(JSON.parse(await succeed(process.execPath, args, { env })) as Explanation);
}

function predictionOf({ versions, rows, methods }: Explanation): Prediction {
  const refused = rows.filter(({ verdict, use }) => verdict === "reject" && use === "always");
  const stops = versions.clients.some(({ verdict }) => verdict === "refuses");
  return {
    kind: stops ? "stops" : refused.length > 0 ? "refused" : "builds",
    drift: refused.flatMap(({ drift }) => drift),
    executes: !methods.some(({ path, lane }) => path.endsWith(".Execution/Execute") && lane === "reject"),
  };
}
