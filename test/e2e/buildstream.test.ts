import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { BridgeProcess } from "./support/bridge.ts";
import {
  type ArtifactServerOptions,
  BuildStream,
  createProject,
  needSandbox,
  type Remote,
  startArtifactServer,
} from "./support/buildstream.ts";
import { createKeyPair } from "./support/certificates.ts";
import { contents, scratch } from "./support/folder.ts";
import { interrupt } from "./support/interrupt.ts";

const REFERENCES = "/buildstream.v2.ReferenceStorage/UpdateReference";
const BATCH_UPDATE = "/build.bazel.remote.execution.v2.ContentAddressableStorage/BatchUpdateBlobs";
const ELEMENTS = ["--deps", "all", "all.bst"];

const folder = scratch();
const project = join(folder, "project");
const builder = new BuildStream(join(folder, "builder"), project);

/** What another user has in the end, and what the server has. */
interface Shared {
  readonly checkout: readonly string[];
  readonly stored: readonly string[];
}

let direct: Shared;

before(async () => {
  await needSandbox();
  await createProject(project);
  const { code, output } = await builder.run(null, "build", "all.bst");
  assert.equal(code, 0, output);
  direct = await share("direct", serveDirect);
  assert.equal(direct.stored.filter((line) => line.startsWith("cas/refs/") && !line.endsWith("/")).length, 6);
  assert.ok(direct.checkout.some((line) => line.startsWith("large.txt 40000000 ")));
  assert.ok(direct.checkout.includes("made/link -> numbers"));
});

for (const profile of [null, "buildstream"]) {
  const told = profile === null ? "nothing of the server" : `that the server is ${profile}`;
  test(`through a bridge that is told ${told} the same artifacts arrive, and a second push is skipped`, async (t) => {
    let bridge: BridgeProcess | undefined;
    const flags = profile === null ? [] : ["--upstream-profile", profile];
    const bridged = await share(`told-${profile}`, async (artifacts) => {
      const { address, stop } = await serveDirect(artifacts);
      bridge = await startBridge(t, "--upstream", address, ...flags);
      return { remote: { url: `http://${bridge.address}` }, stop };
    });
    assert.deepEqual(bridged, direct);
    assert.ok((await bridge!.calls(REFERENCES)) >= 4, "a service that the bridge has never heard of");
  });
}

test("with TLS on both sides of the bridge the same artifacts arrive", async (t) => {
  const tls = await createKeyPair(folder);
  const bridged = await share("tls", async (artifacts) => {
    const { address, stop } = await serveDirect(artifacts, { tls });
    const server = ["--upstream", `grpcs://${address}`, "--upstream-ca", tls.cert];
    const bridge = await startBridge(t, ...server, "--tls-cert", tls.cert, "--tls-key", tls.key);
    return { remote: { url: `https://${bridge.address}`, cert: tls.cert }, stop };
  });
  assert.deepEqual(bridged, direct);
});

test("with batches that the server takes in parts of 64 KiB only the same artifacts arrive, which fails without the bridge", async (t) => {
  const batchBytes = 64 * 1024;
  const small = await serveDirect(join(folder, "small-direct"), { batchBytes });
  t.after(small.stop);
  const { code, output } = await builder.run(small.remote, "push", ...ELEMENTS);
  assert.notEqual(code, 0, "a batch of a MiB is too large for the server");
  assert.match(output, /INVALID_ARGUMENT|Failed to push/);

  const profile = join(folder, "small-batches.json");
  writeFileSync(
    profile,
    JSON.stringify({
      role: "server",
      peer: "small-batches",
      title: "An artifact server with small batches",
      extends: "buildstream",
      ranges: [
        {
          facts: { batchLimit: { announced: batchBytes, counts: "blobs", evidence: "set by the test" } },
        },
      ],
    }),
  );
  // A client that is told nothing fills batches as large as it likes.
  const config = join(folder, "small-batches-bridge.json");
  writeFileSync(config, JSON.stringify({ policy: { "capabilities-service": "off" }, profiles: [profile] }));
  let bridge: BridgeProcess | undefined;
  const bridged = await share("small", async (artifacts) => {
    const { address, stop } = await serveDirect(artifacts, { batchBytes });
    const told = ["--config", config, "--upstream-profile", "small-batches"];
    bridge = await startBridge(t, "--upstream", address, ...told);
    return { remote: { url: `http://${bridge.address}` }, stop };
  });
  assert.deepEqual(bridged, direct);
  assert.ok((await bridge!.calls(BATCH_UPDATE)) > 2, "batches were what it sent");
});

// BuildStream 1.6 gives up at once, with a Python traceback, when nobody listens while it connects. Whether a command outlives the
// restart is up to it; that the next command finds nothing damaged is up to the bridge.
test("when the bridge is killed during push and pull, the next commands complete them", async (t) => {
  const artifacts = join(folder, "interrupted");
  const { address, stop } = await serveDirect(artifacts);
  t.after(stop);
  const bridge = await startBridge(t, "--upstream", address);
  const remote = { url: `http://${bridge.address}` };

  const push = builder.run(remote, "push", ...ELEMENTS);
  await interrupt(bridge, push, async () => (await bridge.bytes("client", "in")) > 5_000_000);
  await bst(builder, remote, "push");
  assert.deepEqual(contents(artifacts).filter(isStored), direct.stored);

  await bridge.stop();
  await bridge.restart();
  const other = new BuildStream(join(folder, "interrupted-user"), project);
  const pull = other.run(remote, "pull", ...ELEMENTS);
  await interrupt(bridge, pull, async () => (await bridge.bytes("client", "out")) > 5_000_000);
  await bst(other, remote, "pull");
  assert.deepEqual(await checkout(other, "interrupted-checkout"), direct.checkout);
});

/** A server, and how a client reaches it. */
interface Served {
  readonly remote: Remote;
  readonly stop: () => Promise<void>;
}

async function serveDirect(artifacts: string, options: ArtifactServerOptions = {}) {
  const { service, address } = await startArtifactServer(artifacts, options);
  return { address, remote: { url: `http://${address}` }, stop: () => service.end("SIGKILL") };
}

/** Pushes what was built to an empty server, pushes again, and pulls it into the empty cache of another user. */
async function share(name: string, serve: (artifacts: string) => Promise<Served>): Promise<Shared> {
  const artifacts = join(folder, name);
  const { remote, stop } = await serve(artifacts);
  try {
    assert.match(await bst(builder, remote, "push"), /Push Queue: processed 4, skipped 0, failed 0/);
    assert.match(await bst(builder, remote, "push"), /Push Queue: processed 0, skipped 4, failed 0/);
    const other = new BuildStream(join(folder, `${name}-user`), project);
    assert.match(await bst(other, remote, "pull"), /Pull Queue: processed 4, skipped 0, failed 0/);
    const stored = contents(artifacts).filter(isStored);
    return { checkout: await checkout(other, `${name}-checkout`), stored };
  } finally {
    await stop();
  }
}

async function bst(user: BuildStream, remote: Remote, command: "push" | "pull"): Promise<string> {
  const { code, output } = await user.run(remote, command, ...ELEMENTS);
  assert.equal(code, 0, output);
  return output;
}

async function checkout(user: BuildStream, name: string): Promise<string[]> {
  const to = join(folder, name);
  const { code, output } = await user.run(null, "checkout", "all.bst", to);
  assert.equal(code, 0, output);
  return contents(to);
}

/** Objects and references; what an upload that broke off left among the temporary files is not shared with anybody. */
function isStored(line: string): boolean {
  return line.startsWith("cas/");
}

async function startBridge(t: TestContext, ...flags: string[]): Promise<BridgeProcess> {
  const bridge = await BridgeProcess.start(...flags);
  t.after(() => bridge.stop());
  return bridge;
}
