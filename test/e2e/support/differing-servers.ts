import { shippedProfiles } from "../../../src/peers/read-profile.ts";
import { explain } from "../../../src/plan/explain.ts";
import { Planner } from "../../../src/plan/planner.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { clientLine, serverDialect } from "../../support/known-peers.ts";

/** Of all lines of all known servers, those with which something else happens to a client than with the ones before, by name. */
export function differingServers(client: string): readonly string[] {
  const profiles = shippedProfiles();
  const planner = new Planner(TRANSLATORS, {});
  const lines = new Set(profiles.names("server").flatMap((peer) => profiles.ranges("server", peer)));
  const byOutcome = new Map<string, string>();
  for (const { name, facts } of lines) {
    const { rows, methods } = explain([clientLine(client)], serverDialect(name), planner);
    const changes = rows.filter(({ verdict }) => verdict === "translate" || verdict === "reject");
    const called = methods.filter(({ need }) => need !== null && need !== "not called");
    const outcome = JSON.stringify([
      changes.map(({ feature, direction, from, to }) => [feature, direction, from, to]),
      called.map(({ path, lane }) => [path, lane]),
      facts.outputLinks?.are,
    ]);
    if (!byOutcome.has(outcome)) byOutcome.set(outcome, name);
  }
  return [...byOutcome.values()];
}
