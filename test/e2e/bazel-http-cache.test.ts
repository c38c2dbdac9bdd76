import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { BAZELS, Bazel } from "./support/bazel.ts";
import { BridgeProcess } from "./support/bridge.ts";
import { scratch } from "./support/folder.ts";
import { startHttpCache } from "./support/http-cache.ts";

const folder = scratch();
// No //tree/...: what comes from an HTTP cache has files where there were symbolic links, so it differs from what was built.
const LOCAL = ["--spawn_strategy=standalone", "--genrule_strategy=standalone", "//app/...", "//big/..."];

for (const version of BAZELS) {
  test(`Bazel ${version} finds its results in an HTTP cache behind the bridge, and builds itself while the bridge is down`, async (t) => {
    const cache = await startHttpCache();
    t.after(() => cache.stop());
    const bridge = await BridgeProcess.start("--upstream", "127.0.0.1:1", "--http-upstream", cache.url);
    t.after(() => bridge.stop());
    const bazel = new Bazel(version, join(folder, version), folder);
    const build = async () => {
      const { code, output, actions } = await bazel.build(...bazel.httpCache(bridge.address), ...LOCAL);
      assert.equal(code, 0, output);
      const [hits = 0, built = 0] = [actions.get("remote cache hit"), actions.get("local")];
      return { hits, built, outputs: bazel.outputs() };
    };

    const first = await build();
    assert.equal(first.hits, 0);
    assert.ok(first.built > 60);
    assert.ok([...cache.entries.keys()].some((path) => path.startsWith("/ac/")));

    await bazel.clean();
    assert.deepEqual(await build(), { ...first, hits: first.built, built: 0 });

    await bridge.kill();
    await bazel.clean();
    assert.deepEqual(await build(), first);

    await bridge.restart();
    await bazel.clean();
    assert.deepEqual(await build(), { ...first, hits: first.built, built: 0 });
  });
}
