import assert from "node:assert/strict";
import { test } from "node:test";
import { CallError } from "../../../src/embedded/call-error.ts";
import { CLIENT_FACTS } from "../../../src/peers/client-facts.ts";
import type { ResolvedClient } from "../../../src/peers/profile.ts";
import { PROFILE_FEATURES } from "../../../src/peers/profile-features.ts";
import { codec } from "../../../src/spec/codec.ts";
import { Status } from "../../../src/wire/status.ts";
import { FACTS_NOT_PLAYED, FEATURES_NOT_PLAYED } from "./facts-not-played.ts";
import { formsOf } from "./forms.ts";
import { judge } from "./judge.ts";
import { playedManner } from "./manner.ts";
import { CAPABILITIES, done, profiles, scripted, V2 } from "./support.ts";

const LINES = profiles.names("client").flatMap((peer) => profiles.ranges("client", peer));

/** The client, with a note taken of every member of a fact that somebody looks at. */
function watched(client: ResolvedClient, seen: Set<string>): ResolvedClient {
  const facts = Object.entries(client.facts).map(([fact, members]) => {
    const get = (target: object, member: string | symbol, receiver: unknown) => {
      seen.add(`${fact}.${String(member)}`);
      return Reflect.get(target, member, receiver);
    };
    return [fact, new Proxy(members, { get })];
  });
  return { ...client, facts: Object.fromEntries(facts) };
}

function withoutCapabilities(): never {
  throw new CallError(Status.UNIMPLEMENTED, "unknown service");
}

test("a played client goes by every fact of its profile that is not listed with a reason", async (t) => {
  const seen = new Set<string>();
  const deprecated = codec().create(`${V2}.ServerCapabilities`, {
    ...CAPABILITIES,
    deprecatedApiVersion: { major: 2 },
    lowApiVersion: { major: 2, minor: 12 },
  });
  const unstated = codec().create(`${V2}.ServerCapabilities`, { ...CAPABILITIES, highApiVersion: null });
  for (const client of new Set(LINES)) {
    const as = watched(client, seen);
    for (const capabilities of [deprecated, unstated]) judge(as, capabilities, { compression: true });
    judge(as, null);
    for (const capabilities of [() => CAPABILITIES, withoutCapabilities]) {
      const script = { "Execution/Execute": () => done({}), "Capabilities/GetCapabilities": capabilities };
      const { client: played } = await scripted(t, script, { as });
      await played.build("file");
      await played.probes();
    }
  }
  const members = Object.entries(CLIENT_FACTS).flatMap(([fact, { members: all }]) =>
    Object.keys(all).map((member) => `${fact}.${member}`),
  );
  const notPlayed = members.filter((member) => !seen.has(member));
  assert.deepEqual(notPlayed.sort(), Object.keys(FACTS_NOT_PLAYED).sort());
});

test("a played client goes by the forms of every feature that is not listed with a reason", () => {
  const seen = new Set<string>();
  const client = profiles.resolve("client", "bazel");
  const judged = judge(client, null);
  const forms = new Proxy(formsOf(client, judged.window), {
    get(target, feature, receiver) {
      seen.add(String(feature));
      return Reflect.get(target, feature, receiver);
    },
  });
  playedManner(client, judged, forms);
  const ofClients = Object.entries(PROFILE_FEATURES).filter(([, { of }]) =>
    of.some((role) => role === "client"),
  );
  const notPlayed = ofClients.map(([feature]) => feature).filter((feature) => !seen.has(feature));
  assert.deepEqual(notPlayed.sort(), Object.keys(FEATURES_NOT_PLAYED).sort());
});
