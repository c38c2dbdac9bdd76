import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { BAZELS, Bazel, LEVELS } from "./support/bazel.ts";
import { BridgeProcess } from "./support/bridge.ts";
import { createKeyPair } from "./support/certificates.ts";
import { startEmbeddedServer } from "./support/embedded.ts";
import { scratch } from "./support/folder.ts";

const folder = scratch();

for (const version of BAZELS) {
  // Debian built its own without ALPN, and so without TLS for gRPC: it crashes («JDK provider does not support ALPN protocol»).
  if (version === "4.2.3") continue;
  test(`Bazel ${version} builds through the bridge over TLS`, async (t) => {
    const server = await startEmbeddedServer(LEVELS[version]);
    t.after(() => server.service.end("SIGTERM"));
    const tls = await createKeyPair(folder);
    const files = ["--tls-cert", tls.cert, "--tls-key", tls.key];
    const bridge = await BridgeProcess.start("--upstream", server.address, ...files);
    t.after(() => bridge.stop());

    const secure = new Bazel(version, join(folder, version, "secure"), folder);
    const build = await secure.build(...secure.remote(bridge.address, tls.cert), "//...");
    assert.equal(build.code, 0, build.output);

    const plain = new Bazel(version, join(folder, version, "plain"), folder);
    const again = await plain.build(...plain.remote(server.address), "//...");
    assert.equal(again.actions.get("remote cache hit"), build.actions.get("remote"), again.output);
    assert.deepEqual(secure.outputs(), plain.outputs());
  });
}
