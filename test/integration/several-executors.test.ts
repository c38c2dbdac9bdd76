import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Messages } from "../../src/spec/generated/messages.ts";
import { bridgeTo } from "../support/bridge.ts";
import { embedded, ReapiClient, sha256, V2 } from "../support/reapi-client.ts";
import { routed } from "../support/upstreams.ts";

// Two upstreams that execute, told apart by the instance. Their operations have names that lead back to them.

type Operation = Messages["google.longrunning.Operation"];

async function twoFarms(t: TestContext) {
  const one = await embedded(t, "2.12");
  const two = await embedded(t, "2.12");
  const { address } = await bridgeTo(
    t,
    one.address,
    routed({ one: one.address, two: two.address }, [
      { upstream: "two", instance: "second", rename: "" },
      { upstream: "one" },
    ]),
  );
  return { one: one.client, two: two.client, bridged: new ReapiClient(t, address) };
}

/** Stores an action in a farm itself, and executes it through the bridge as `instanceName`. */
async function execute(farm: ReapiClient, bridged: ReapiClient, instanceName: string): Promise<Operation> {
  const commandDigest = await farm.storeMessage(`${V2}.Command`, { arguments: ["/bin/echo", instanceName] });
  const inputRootDigest = await farm.storeMessage(`${V2}.Directory`, {});
  const actionDigest = await farm.storeMessage(`${V2}.Action`, { commandDigest, inputRootDigest });
  const operations = await bridged.all<Operation>("Execution/Execute", { instanceName, actionDigest });
  assert.equal(operations.at(-1)!.done, true);
  return operations.at(-1)!;
}

test("an operation is waited for and looked up where it runs", async (t) => {
  const { one, two, bridged } = await twoFarms(t);
  for (const [farm, instance] of [
    [one, ""],
    [two, "second"],
  ] as const) {
    const { name } = await execute(farm, bridged, instance);
    const [waited] = (await bridged.all<Operation>("Execution/WaitExecution", { name })).slice(-1);
    assert.deepEqual([waited!.name, waited!.done], [name, true]);
    const got = await bridged.unary<Operation>("/google.longrunning.Operations/GetOperation", { name });
    assert.deepEqual([got.name, got.done], [name, true]);
    // The farm itself has it under a name of its own, and the other one does not have it.
    const own = name.slice(0, name.lastIndexOf("/rb1/"));
    assert.equal(
      (await farm.unary<Operation>("/google.longrunning.Operations/GetOperation", { name: own })).done,
      true,
    );
    const other = farm === one ? two : one;
    await assert.rejects(other.unary("/google.longrunning.Operations/GetOperation", { name: own }), {
      code: 5,
    });
  }
});

test("a name that no upstream gave is for the first to say", async (t) => {
  const { bridged } = await twoFarms(t);
  const name = `operations/${sha256("nobody's").hash}`;
  await assert.rejects(bridged.unary("/google.longrunning.Operations/GetOperation", { name }), { code: 5 });
});
