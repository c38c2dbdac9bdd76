import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { BAZELS, Bazel, LEVELS } from "./support/bazel.ts";
import { BridgeProcess } from "./support/bridge.ts";
import { startEmbeddedServer } from "./support/embedded.ts";
import { scratch } from "./support/folder.ts";

const EXECUTE = "/build.bazel.remote.execution.v2.Execution/Execute";
const folder = scratch();

for (const version of BAZELS) {
  test(`Bazel ${version} builds the same through the bridge as without it`, async (t) => {
    const direct = await buildAll(
      new Bazel(version, join(folder, version, "direct"), folder),
      await startServer(t, LEVELS[version]),
    );
    assert.ok(direct.actions >= 60, `${direct.actions} actions`);

    // The bridge stores the empty blob, which Bazels from 0.29 on never send, where the server has to have it (D13).
    const bridge = await BridgeProcess.start("--upstream", await startServer(t, "2.0"));
    t.after(() => bridge.stop());
    const bazel = new Bazel(version, join(folder, version, "bridged"), folder);
    assert.deepEqual(await buildAll(bazel, bridge.address), direct);
    // One more: the action that fails is executed, too.
    assert.equal(await bridge.calls(EXECUTE), direct.actions + 1);
  });
}

/** All that a build tells and leaves: with nothing cached, with everything cached, and where an action fails. */
async function buildAll(bazel: Bazel, address: string) {
  const first = await bazel.build(...bazel.remote(address), "//...");
  assert.equal(first.code, 0, first.output);
  const outputs = bazel.outputs();
  assert.ok(outputs.some((line) => /\/big\.bin\*? 50000000 /.test(line)));
  // Bazel 0.17 has no symbolic links in its trees: it drops those that a server reports.
  const links = bazel.version === "0.17.2" ? 0 : 2;
  assert.equal(outputs.filter((line) => line.endsWith("/tool -> deep/tool")).length, links);
  const actions = first.actions.get("remote") ?? 0;

  await bazel.clean();
  const second = await bazel.build(...bazel.remote(address), "//...");
  assert.equal(second.code, 0, second.output);
  assert.equal(second.actions.get("remote cache hit"), actions, second.output);
  assert.equal(second.actions.get("remote"), undefined, second.output);
  assert.deepEqual(bazel.outputs(), outputs);

  const failed = await bazel.build(...bazel.remote(address), "//broken");
  assert.equal(failed.code, 1, failed.output);
  assert.match(failed.output, /^this action fails on purpose$/m);
  assert.match(failed.output, /Exit 7\b/);
  return { actions, outputs };
}

async function startServer(t: TestContext, level: string): Promise<string> {
  const { service, address } = await startEmbeddedServer(level);
  t.after(() => service.end("SIGTERM"));
  return address;
}
