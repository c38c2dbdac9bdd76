import assert from "node:assert/strict";
import { test } from "node:test";
import { levelServer, serverFacts, unknownServer } from "../../../src/peers/server-dialect.ts";
import { type Explanation, explain } from "../../../src/plan/explain.ts";
import { happens, type Row } from "../../../src/plan/explain-rows.ts";
import { Planner } from "../../../src/plan/planner.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { resolveDialect } from "../../../src/translators/resolve-dialect.ts";
import { clientLine, serverDialect } from "../../support/known-peers.ts";

const planner = new Planner(TRANSLATORS, {});

function explained(client: string, server: string): Explanation {
  return explain([clientLine(client)], serverDialect(server), planner);
}

function row({ rows }: Explanation, feature: string, direction: string, from: string): Row {
  const found = rows.find(
    (one) => one.feature === feature && one.direction === direction && one.from === from,
  );
  assert.ok(found, `${feature} ${from} ${direction}`);
  return found;
}

/** Refusals that this client runs into by itself. */
function refused({ rows }: Explanation): string[] {
  return rows
    .filter(({ verdict, use }) => verdict === "reject" && use === "always")
    .map(({ feature, from }) => `${feature} ${from}`);
}

test("Buck2 at a Buildbarn that reads Action.platform only: translated, with the reports as evidence", () => {
  const explanation = explained("buck2", "buildbarn@2026-03-26");
  assert.deepEqual(refused(explanation), []);
  const platform = row(explanation, "action-platform", "toServer", "command");
  const { to, verdict, cost, evidence, drift, refused: of } = platform;
  assert.deepEqual([to, verdict, cost, drift, of], ["action", "translate", "reads", ["D36"], null]);
  assert.match(evidence.client.note, /buck2#1366/);
  assert.match(evidence.server.note, /e6ab874/);
});

test("Buck2 writes one list or the other by its configuration: one of them is translated", () => {
  const explanation = explained("buck2", "buildbarn@2026-03-26");
  assert.equal(row(explanation, "output-paths", "toServer", "lists").verdict, "translate");
  assert.equal(row(explanation, "output-paths", "toServer", "paths").verdict, "native");
});

test("Bazel 9 at the same Buildbarn: nothing is refused that it has to send", () => {
  const explanation = explained("bazel@9", "buildbarn@2026-03-26");
  assert.deepEqual(refused(explanation), []);
  assert.equal(explanation.outcome.kind, "goes");
  assert.equal(explanation.versions.changed, false);
  // It writes the platform in both places at once, so that neither is ever alone.
  const platform = row(explanation, "action-platform", "toServer", "command");
  assert.deepEqual([platform.use, happens(platform)], ["never", false]);
  assert.deepEqual([platform.verdict, platform.cost], ["pass", "none"]);
  // It does not call GetTree, can do without assets, and compresses only where that is announced.
  assert.equal(row(explanation, "get-tree", "toServer", "offered").use, "never");
  assert.equal(row(explanation, "asset-service", "toServer", "offered").use, "optional");
  assert.equal(row(explanation, "compressed-blobs", "toServer", "zstd").use, "if-announced");
});

test("Please at a Buildfarm that announces 2.3 and later: told 2.0, as that is served", () => {
  const { versions, outcome } = explained("please", "buildfarm@2.17");
  assert.deepEqual(versions.stated, { deprecated: "2.0", low: "2.3", high: "2.11" });
  assert.deepEqual(versions.told, { deprecated: null, low: "2.0", high: "2.11" });
  assert.equal(versions.changed, true);
  assert.deepEqual(versions.clients, [
    {
      line: "please@17",
      rule: "needs 2.0 among the versions",
      verdict: "goes-on",
      negotiated: "2.0",
    },
  ]);
  assert.match(versions.why, /from the lower version on is served/);
  assert.equal(outcome.kind, "goes");
});

test("Bazel 8.1 at Buildbarn shares 2.2 and writes the list that is read", () => {
  const explanation = explained("bazel@8.1", "buildbarn@2026-03-26");
  const [reaction] = explanation.versions.clients;
  assert.deepEqual([reaction?.verdict, reaction?.negotiated], ["goes-on", "2.2"]);
  assert.match(reaction?.rule ?? "", /output-paths follows the version that both have/);
  assert.equal(row(explanation, "output-paths", "toServer", "paths").verdict, "native");
  assert.equal(explanation.outcome.kind, "goes");
});

test("Pants 2.33 at a Buildfarm from before output_paths: translated", () => {
  const explanation = explained("pants@2.33", "buildfarm@1.17");
  assert.deepEqual(refused(explanation), []);
  const { to, verdict, evidence } = row(explanation, "output-paths", "toServer", "paths");
  assert.deepEqual([to, verdict], ["lists", "translate"]);
  assert.match(evidence.client.note, /pants#23294/);
  assert.match(evidence.server.note, /7db8d1473/);
  assert.equal(explanation.outcome.kind, "goes");
});

test("Bazel 6.2 would stop at the newest Buildbarn if it looked for programs in another place, for nothing else would be true", () => {
  const bazel = clientLine("bazel@6.2");
  const argv0 = { writes: ["input-root"], evidence: "the test" };
  const unlike = { ...bazel, features: { ...bazel.features, argv0 } };
  const { versions, outcome, rows } = explain([unlike], serverDialect("buildbarn@2026-03-26"), planner);
  assert.equal(versions.clients[0]?.verdict, "refuses");
  assert.match(versions.why, /no others would be true/);
  assert.equal(outcome.kind, "stops");
  assert.match(outcome.text, /needs 2\.0 among the versions, finds 2\.3 to 2\.12/);
  assert.match(outcome.text, /argv0 \(input-root\)/);
  assert.ok(outcome.advice.length >= 2);
  assert.ok(rows.length > 0);
});

test("reclient at Buildbarn gets the symlinks in the lists that it reads", () => {
  const explanation = explained("reclient", "buildbarn");
  const links = row(explanation, "output-symlinks", "toClient", "unified");
  assert.deepEqual([links.to, links.verdict, links.cost], ["typed", "translate", "opened"]);
  assert.match(links.evidence.client.note, /cas_download\.go/);
  assert.equal(explanation.outcome.kind, "goes");
});

test("a cache is called one, and what belongs to executions does not count there", () => {
  const explanation = explained("bazel@7", "bazel-remote");
  assert.deepEqual(refused(explanation), []);
  assert.equal(explanation.outcome.kind, "goes");
  assert.match(explanation.outcome.text, /executes nothing/);
  const execute = explanation.methods.find(({ path }) => path.endsWith("Execution/Execute"));
  assert.deepEqual([execute?.lane, execute?.need], ["reject", "execution"]);
});

test("a client that needs a method that is missing stops", () => {
  const server = serverDialect("buildbarn");
  const missing = "/build.bazel.remote.execution.v2.ContentAddressableStorage/FindMissingBlobs";
  const lacking = { ...server, missingMethods: [...server.missingMethods, missing] };
  // Whoever owns the method refuses it by name; one that nobody owns passes and is the server's to answer.
  const { outcome, methods } = explain([clientLine("moon")], lacking, planner);
  const gone = methods.find(({ path }) => path === missing);
  assert.deepEqual([gone?.lane, gone?.need], ["reject", "required"]);
  assert.equal(outcome.kind, "stops");
  assert.match(outcome.text, /cannot do without ContentAddressableStorage\/FindMissingBlobs/);
});

test("levels need no profile, and what they tell is as the operator says", () => {
  const server = resolveDialect(levelServer("2.0"), TRANSLATORS);
  const explanation = explain("2.12", server, planner);
  assert.deepEqual(explanation.client, { name: "a client of API 2.12", level: "2.12" });
  assert.deepEqual(explanation.server, { name: "a server of API 2.0", level: "2.0" });
  assert.deepEqual(explanation.versions.clients, []);
  assert.equal(explanation.versions.changed, false);
  const paths = row(explanation, "output-paths", "toServer", "paths");
  assert.deepEqual([paths.verdict, paths.use], ["translate", "always"]);
  assert.deepEqual(paths.settledBy, []);
  assert.match(explanation.outcome.text, /^A client of API 2\.12 goes on\./);
});

test("equal levels have nothing to explain", () => {
  const { rows, methods, outcome } = explain("2.3", resolveDialect(levelServer("2.3"), TRANSLATORS), planner);
  assert.deepEqual(
    rows.filter(happens).map(({ feature }) => feature),
    [],
  );
  assert.deepEqual([methods, outcome.kind, outcome.advice], [[], "goes", []]);
});

test("what is only supposed of a server names the keys of profiles that would tell", () => {
  const unknown = resolveDialect(serverFacts(unknownServer("cache:8980")), TRANSLATORS);
  const explanation = explain([clientLine("pants@2.33")], unknown, planner);
  const paths = row(explanation, "output-paths", "toServer", "paths");
  assert.equal(paths.evidence.server.source, "assumed");
  assert.deepEqual(paths.settledBy, ["server: features.output-paths.reads"]);
  const bazel = explain([clientLine("bazel@9")], unknown, planner);
  const packed = row(bazel, "compressed-blobs", "toServer", "zstd");
  assert.deepEqual(packed.settledBy, ["server: facts.compressors"]);
});

test("a feature that is off does nothing, and the row says so", () => {
  const off = new Planner(TRANSLATORS, { "action-platform": "off" });
  const explanation = explain([clientLine("buck2")], serverDialect("buildbarn@2026-03-26"), off);
  const { verdict, cost } = row(explanation, "action-platform", "toServer", "command");
  assert.deepEqual([verdict, cost], ["off", "none"]);
  assert.deepEqual(refused(explanation), []);
});

test("nothing but plain data: it survives JSON", () => {
  const explanation = explained("buck2", "buildbarn@2026-03-26");
  assert.deepEqual(JSON.parse(JSON.stringify(explanation)), explanation);
});
