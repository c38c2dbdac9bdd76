import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Sample, type Shape, sampleOf } from "../../src/client/samples.ts";
import type { Level } from "../../src/spec/versions.ts";
import { playClient } from "../peers/client/play-client.ts";
import { writeLevelProfiles } from "./support/level-profiles.ts";
import { ofBuild, text } from "./support/outcome.ts";
import { startRig } from "./support/rig.ts";

// Blobs that a server loses, each by itself and all at once: the client's own, those that the bridge made of them, and what was made for its results.

async function between(t: TestContext, client: Level, server: Level) {
  const dir = await mkdtemp(join(tmpdir(), "lost-blobs-"));
  t.after(() => rm(dir, { recursive: true }));
  const profiles = await writeLevelProfiles(join(dir, "profiles"));
  const as = profiles.client(client);
  const rig = await startRig({
    server: profiles.server(server),
    plays: { level: server },
    clients: [as],
    profiles: profiles.files,
    replicas: 2,
    dir: join(dir, "stores"),
  });
  t.after(() => rig.stop());
  const play = (address: string) => {
    const played = playClient({ address, as: client });
    t.after(() => played.close());
    return played;
  };
  /** Digests of all blobs that are stored, but for the empty one, which servers that promise it do not lose. */
  const stored = async () => {
    const files = await readdir(join(dir, "stores", "cas"), { recursive: true });
    return files.flatMap((file) => {
      const [, hash, size] = /([0-9a-f]{64})-(\d+)$/.exec(file) ?? [];
      return hash === undefined || size === "0" ? [] : [{ hash, sizeBytes: Number(size) }];
    });
  };
  return { rig, stored, bridged: play(rig.bridged(as)), elsewhere: () => play(rig.bridged(as, 1)) };
}

/** The same action, to be run although its result is known. */
function anew(sample: Sample): Sample {
  return { ...sample, spec: { ...sample.spec, skipCacheLookup: true } };
}

const CASES: readonly (readonly [client: Level, server: Level, shapes: readonly Shape[]])[] = [
  // Outputs are captured and cut out, and Trees become root directories.
  ["2.12", "2.0", ["directory", "nested-directories", "among-inputs"]],
  // Input trees and output Trees are written anew.
  ["2.2", "2.1", ["input-attributes", "output-attributes"]],
  ["2.0", "2.2", ["input-attributes", "output-attributes"]],
  // Only programs are found otherwise.
  ["2.3", "2.2", ["program"]],
];

for (const [client, server, shapes] of CASES) {
  for (const shape of shapes) {
    test(`${client} before ${server}, ${shape}: a build ends well whatever blob the server loses`, async (t) => {
      const { rig, stored, bridged, elsewhere } = await between(t, client, server);
      const sample = sampleOf(shape);
      const build = async (played = bridged, what = sample) => text(ofBuild(await played.buildSample(what)));
      assert.equal(await build(), "ok");
      const blobs = await stored();
      assert.ok(blobs.length > 4);
      const made = await bridged.buildSample(sample);
      assert.equal(made.report?.cached, true);
      for (const blob of blobs) {
        const lose = async (): Promise<void> => void (await rig.controls.evict(blob));
        const lost = `without ${blob.hash}/${blob.sizeBytes}`;
        await lose();
        assert.equal(await build(), "ok", `${lost}, looked up`);
        await lose();
        assert.equal(await build(bridged, anew(sample)), "ok", `${lost}, run anew`);
        await lose();
        assert.equal(await build(elsewhere()), "ok", `${lost}, looked up at another bridge`);
      }
      for (const blob of blobs) await rig.controls.evict(blob);
      assert.equal(await build(), "ok", "without any");
      for (const blob of blobs) await rig.controls.evict(blob);
      assert.equal(await build(elsewhere(), anew(sample)), "ok", "without any, at another bridge");
    });
  }
}
