/** For every known client and server: the versions told let the client go on, or it stops because nothing else would be true. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { windowOf } from "../../../src/peers/api-window.ts";
import type { Dialect } from "../../../src/peers/dialect.ts";
import type { ResolvedClient } from "../../../src/peers/profile.ts";
import type { Version } from "../../../src/peers/version-range.ts";
import { type ApiWindow, decide, gatedClaims } from "../../../src/peers/version-rule.ts";
import { compilePlan } from "../../../src/plan/compile.ts";
import { clientDialect } from "../../../src/plan/known-client.ts";
import { Planner } from "../../../src/plan/planner.ts";
import { refusesAll } from "../../../src/plan/window.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { allClients, allServers, clientLine } from "../../support/known-peers.ts";

const MINORS = Array.from({ length: 13 }, (_, minor): Version => [2, minor]);
const DEPRECATED: readonly (Version | null)[] = [null, [2, 0], [2, 2]];
/** Every window within 2.0 … 2.12. */
const WINDOWS: readonly ApiWindow[] = DEPRECATED.flatMap((deprecated) =>
  MINORS.flatMap((low, i) => MINORS.slice(i).map((high) => ({ deprecated, low, high }))),
);
const BY_VERSION = TRANSLATORS.filter(({ feature }) =>
  ["output-paths", "action-platform", "argv0"].includes(feature.id),
);

/** The windows that a client goes on with, one for each way of writing that they lead to. */
function accepted(client: ResolvedClient): ApiWindow[] {
  const ways = new Map<string, ApiWindow>();
  for (const window of WINDOWS) {
    if (decide(client, window).verdict === "refuses") continue;
    ways.set(JSON.stringify(gatedClaims(client, window)), window);
  }
  return [...ways.values()];
}

/** Whether some window exists with which the client goes on and nothing is refused that it has to write. */
function canBeServed(
  client: ResolvedClient,
  server: Dialect<"server">,
  windows: readonly ApiWindow[],
): boolean {
  return windows.some((window) => {
    const pair = { client: clientDialect([client], window, TRANSLATORS), server };
    return !refusesAll(compilePlan(pair, {}, BY_VERSION));
  });
}

/** The servers at which the client is told the wrong versions, and why they are wrong. */
function wrongWindows(client: ResolvedClient, servers: readonly Dialect<"server">[]): string[] {
  const planner = new Planner(TRANSLATORS, {});
  const windows = accepted(client);
  return servers.flatMap((server) => {
    const plan = planner.plan([client], server);
    const told = plan.pair.window ?? windowOf(server.facts);
    const stops = decide(client, told).verdict === "refuses";
    if (!stops && !refusesAll(plan)) return [];
    return canBeServed(client, server, windows) ? [`${server.name}, which could be served`] : [];
  });
}

const servers = allServers();

for (const client of allClients()) {
  test(`${client.name} goes on with every server, or is stopped for a true reason`, () => {
    assert.deepEqual(wrongWindows(client, servers), []);
  });
}

const BOUNDS = ["2.0", "2.1", "2.2", "2.3", "2.12"];
/** Servers of every window between these bounds, reading every choice of forms. */
const madeUp = BOUNDS.flatMap((low, i) =>
  BOUNDS.slice(i).flatMap((high) =>
    [["lists"], ["paths"], ["paths", "lists"]].flatMap((outputs) =>
      [["command"], ["action"], ["action", "command"]].map((platform): Dialect<"server"> => {
        const evidence = { source: "configured", note: "" } as const;
        const support = (reads: readonly string[]) => ({ reads, writes: reads, evidence });
        return {
          role: "server",
          name: `${low} to ${high} reading ${outputs}, ${platform}`,
          version: null,
          digestFunctions: [],
          missingMethods: [],
          features: { "output-paths": support(outputs), "action-platform": support(platform) },
          facts: { window: { low, high, evidence: "" } },
        };
      }),
    ),
  ),
);

/** A client that goes on with the versions from `low` to `high`, and writes by version as the one called `name`. */
function withRule(name: string, needs: "holds" | "meets", low: string, high: string): ResolvedClient {
  const line = clientLine(name);
  const versionRule = { needs, low, high, deprecated: "warns", unstated: "refuses", evidence: "" } as const;
  return { ...line, name: `${name} of ${low} to ${high}`, facts: { ...line.facts, versionRule } };
}

const STRICT = [
  clientLine("please"),
  clientLine("bazel@6.2"),
  clientLine("bazel@8.1"),
  clientLine("reclient"),
  clientLine("siso"),
  withRule("bazel@8.1", "meets", "2.2", "2.5"),
  withRule("reclient", "meets", "2.1", "2.3"),
  withRule("siso", "holds", "2.3", "2.3"),
  withRule("please", "holds", "2.12", "2.12"),
];

for (const client of STRICT) {
  test(`${client.name} is told nothing wrong by servers that nobody knows`, () => {
    assert.deepEqual(wrongWindows(client, madeUp), []);
  });
}
