import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { BAZELS, Bazel, LEVELS } from "./support/bazel.ts";
import { BridgeProcess } from "./support/bridge.ts";
import { startEmbeddedServer } from "./support/embedded.ts";
import { scratch } from "./support/folder.ts";
import { interrupt } from "./support/interrupt.ts";

const EXECUTE = "/build.bazel.remote.execution.v2.Execution/Execute";
const folder = scratch();

for (const version of BAZELS) {
  test(`Bazel ${version} ends its build when the bridge is killed in the middle and comes back`, async (t) => {
    const server = await startEmbeddedServer(LEVELS[version]);
    t.after(() => server.service.end("SIGTERM"));
    const bridge = await BridgeProcess.start("--upstream", server.address);
    t.after(() => bridge.stop());

    const bazel = new Bazel(version, join(folder, version, "interrupted"), folder);
    const build = bazel.build(...bazel.remote(bridge.address), "//...");
    const amid = async () => (await bridge.calls(EXECUTE)) >= 10 && (await bridge.callsUnderWay()) > 0;
    const { code, output } = await interrupt(bridge, build, amid);
    assert.equal(code, 0, output);
    assert.ok((await bridge.calls(EXECUTE)) > 0, "the bridge that came back was used");

    const undisturbed = new Bazel(version, join(folder, version, "undisturbed"), folder);
    const again = await undisturbed.build(...undisturbed.remote(server.address), "//...");
    assert.equal(again.code, 0, again.output);
    assert.deepEqual(bazel.outputs(), undisturbed.outputs());
  });
}
