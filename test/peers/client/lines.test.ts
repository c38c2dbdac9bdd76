import assert from "node:assert/strict";
import { test } from "node:test";
import type { Shape } from "../../../src/client/samples.ts";
import { peerFacts } from "../../../src/peers/profile-facts.ts";
import { planRoutes } from "../../../src/proxy/lanes/plan-routes.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { resolveDialect } from "../../../src/translators/resolve-dialect.ts";
import { SAFE_DIALECT } from "../../../src/upstream/dialect.ts";
import { bridgeTo } from "../../support/bridge.ts";
import { embedded } from "../../support/reapi-client.ts";
import { plan, server as serverOf } from "../../translators/support.ts";
import { line, play, profiles } from "./support.ts";

const LINES = new Set(profiles.names("client").flatMap((peer) => profiles.ranges("client", peer)));

/** Clients that never execute. */
const CACHE_ONLY = ["buildstream@1.6", "moon", "nativelink"];

/** Clients that declare outputs in one form and read symlinks in the other, of a server that fills the list of the form it was given. */
const READ_OTHER_LISTS = ["reclient", "siso@2025-05"];

/** Clients that read none of the lists of symlinks. */
const READ_NO_LISTS = [
  "bazel@0.17",
  "buildstream@2.3",
  "buildstream@2.4",
  "buildstream@2.5",
  "pants@2.32",
  "pants@2.33",
];

test("every line of every client works with a server of 2.12, and loses what it does not read", async (t) => {
  const { address } = await embedded(t, "2.12");
  const lost: string[] = [];
  const idle: string[] = [];
  for (const as of LINES) {
    const client = play(t, { address, as, compression: true });
    const { verdict, executes, why } = await client.negotiate();
    assert.notEqual(verdict, "refuses", why);
    const { deadly, result, blob } = await client.cacheRoundTrip();
    assert.deepEqual({ deadly, blob, lost: result === false }, { deadly: null, blob: true, lost: false });
    if (!executes) {
      idle.push(as.name);
      continue;
    }
    for (const shape of ["directory", "link-to-file"] as const satisfies Shape[]) {
      const built = await client.build(shape, { salt: as.name });
      assert.equal(built.deadly, null, as.name);
      if (built.missing.length === 0) assert.deepEqual(built.report?.wrong, [], as.name);
      else lost.push(`${as.name}: ${built.missing}`);
    }
  }
  assert.deepEqual(idle.sort(), CACHE_ONLY);
  assert.deepEqual(
    lost.sort(),
    [...READ_NO_LISTS, ...READ_OTHER_LISTS].map((name) => `${name}: link.txt`),
  );
});

test("symlinks in the other list reach a client through a bridge", async (t) => {
  const { address } = await embedded(t, "2.12");
  const server = serverOf({ level: "2.12", source: "profile" });
  for (const name of READ_OTHER_LISTS) {
    const as = line(name);
    const client = resolveDialect(peerFacts(as), TRANSLATORS);
    const bridge = await bridgeTo(
      t,
      address,
      {},
      { routes: planRoutes(plan(client, server), { dialect: SAFE_DIALECT }) },
    );
    const built = await play(t, { address: bridge.address, as }).build("link-to-file", { salt: name });
    assert.deepEqual({ deadly: built.deadly, wrong: built.report?.wrong }, { deadly: null, wrong: [] }, name);
  }
});
