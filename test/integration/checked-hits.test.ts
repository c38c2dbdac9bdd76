import assert from "node:assert/strict";
import { test } from "node:test";
import { Status } from "../../src/wire/status.ts";
import { bridgeTo } from "../support/bridge.ts";
import { playing, serverLike } from "../support/played-server.ts";
import { ReapiClient, V2, type V2Message } from "../support/reapi-client.ts";

const GET = "ActionCache/GetActionResult";

test("before a server that promises nothing a hit is a miss when a blob of it is gone, in an output directory as well", async (t) => {
  const name = "buildgrid@2018-09";
  const { client: direct, address, controls } = await playing(t, name);
  const bridge = await bridgeTo(t, address, { upstream: { profile: name } });
  const client = new ReapiClient(t, bridge.address);
  const commandDigest = await direct.storeMessage(`${V2}.Command`, { arguments: ["true"] });
  const inputRootDigest = await direct.storeMessage(`${V2}.Directory`, {});
  const actionDigest = await direct.storeMessage(`${V2}.Action`, { commandDigest, inputRootDigest });
  const [output, deep, said] = await direct.store("output", "deep", "said");
  const treeDigest = await direct.storeMessage(`${V2}.Tree`, {
    root: { files: [{ name: "deep", digest: { hash: deep!.hash, sizeBytes: BigInt(deep!.sizeBytes) } }] },
  });
  const actionResult = {
    outputFiles: [{ path: "out", digest: output! }],
    outputDirectories: [{ path: "dir", treeDigest }],
    stdoutDigest: said!,
  };
  await direct.unary("ActionCache/UpdateActionResult", { actionDigest, actionResult });
  const calls = () => controls.calls("ContentAddressableStorage/FindMissingBlobs");
  const before = calls();
  const hit = await client.unary<V2Message<"ActionResult">>(GET, { actionDigest });
  assert.equal(hit.outputFiles[0]?.digest?.hash, output!.hash);
  assert.equal(calls(), before + 1);
  for (const lost of [deep!, output!, said!, treeDigest]) {
    assert.ok(await controls.evict(lost));
    await direct.unary(GET, { actionDigest });
    await assert.rejects(client.unary(GET, { actionDigest }), (error: { code: number; message: string }) => {
      assert.equal(error.code, Status.NOT_FOUND);
      assert.match(error.message, /it cannot be relied on: [0-9a-f]{64}\/[0-9]+ is not stored/);
      return true;
    });
    await direct.store("output", "deep", "said");
    await direct.storeMessage(`${V2}.Tree`, {
      root: { files: [{ name: "deep", digest: { hash: deep!.hash, sizeBytes: BigInt(deep!.sizeBytes) } }] },
    });
    await client.unary(GET, { actionDigest });
  }
});

test("a server that should check its hits by its level and does not: with the policy the bridge does", async (t) => {
  const lifetimes = { writes: ["unsaid"], evidence: "the test" } as const;
  const {
    client: direct,
    address,
    controls,
  } = await playing(t, serverLike("buildfarm@2.17", {}, { lifetimes }));
  const plain = new ReapiClient(t, (await bridgeTo(t, address)).address);
  const required = await bridgeTo(t, address, { policy: { lifetimes: "require" } });
  const checking = new ReapiClient(t, required.address);
  const commandDigest = await direct.storeMessage(`${V2}.Command`, { arguments: ["true"] });
  const inputRootDigest = await direct.storeMessage(`${V2}.Directory`, {});
  const actionDigest = await direct.storeMessage(`${V2}.Action`, { commandDigest, inputRootDigest });
  const [said] = await direct.store("said");
  await direct.unary("ActionCache/UpdateActionResult", {
    actionDigest,
    actionResult: { stdoutDigest: said! },
  });
  for (const client of [plain, checking]) await client.unary(GET, { actionDigest });
  assert.ok(await controls.evict(said!));
  await plain.unary(GET, { actionDigest });
  await assert.rejects(checking.unary(GET, { actionDigest }), { code: Status.NOT_FOUND });
});
