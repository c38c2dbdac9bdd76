/** Executions at the same time over one cold input tree, through a bridge that has to rewrite it. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Connection } from "../../src/client/connection.ts";
import { mannerOf } from "../../src/client/manner.ts";
import { type Input, RemoteClient } from "../../src/client/remote-client.ts";
import { sampleOf } from "../../src/client/samples.ts";
import { planRoutes } from "../../src/proxy/lanes/plan-routes.ts";
import { SAFE_DIALECT } from "../../src/upstream/dialect.ts";
import { Status } from "../../src/wire/status.ts";
import { bridgeTo } from "../support/bridge.ts";
import { embedded, failure } from "../support/reapi-client.ts";
import { client as clientOf, plan, server as serverOf } from "../translators/support.ts";

const CALLERS = 50;
const DIRECTORIES = 70;
const FILES = 15;
const BATCH_READ = "ContentAddressableStorage/BatchReadBlobs";

/** Clients before a bridge in front of one server; attributes of inputs are written otherwise on either side of it. */
async function setting(t: TestContext) {
  const { address, controls } = await embedded(t, "2.2");
  const made = plan(clientOf({ level: "2.0" }), serverOf({ level: "2.2", source: "profile" }));
  const dialect = { ...SAFE_DIALECT, batchRead: true, batchUpdate: true };
  const bridge = await bridgeTo(t, address, {}, { routes: planRoutes(made, { dialect }) });
  const clientAt = (where: string, headers = {}) => {
    const connection = new Connection(where, { level: "2.0", headers });
    t.after(() => connection.close());
    return new RemoteClient(connection, mannerOf("2.0"));
  };
  return { address, bridged: bridge.address, controls, clientAt };
}

function manyFiles(): Record<string, Input> {
  const inputs: Record<string, Input> = {};
  for (let directory = 0; directory < DIRECTORIES; directory++) {
    for (let file = 0; file < FILES; file++)
      inputs[`d${directory % 10}/e${directory}/f${file}`] = {
        kind: "file",
        content: `${directory} ${file}`,
        attributes: { unixMode: 0o640 },
      };
  }
  return inputs;
}

/** An action of which no two are alike, and which no worker takes: that it gets that far is all there is to it. */
function specOf(index: number) {
  const { spec } = sampleOf("other-platform", { salt: `${index}` });
  return { ...spec, skipCacheLookup: true };
}

test("fifty executions over a cold tree read it about as often as one", async (t) => {
  const { address, bridged, controls, clientAt } = await setting(t);
  const direct = clientAt(address);
  const inputs = direct.inputs(manyFiles());
  const prepared = Array.from({ length: CALLERS }, (_, index) => direct.prepare(specOf(index), inputs));
  await direct.store.upload(prepared.flatMap(({ blobs }) => blobs));
  const clients = [1, 2].map(() => clientAt(bridged, { authorization: "Bearer alice" }));
  const run = async (index: number): Promise<void> => {
    const { digest } = prepared[index]!.encoded.action;
    const refused = await failure(clients[index % 2]!.execution.execute(digest, {}));
    assert.equal(refused.code, Status.FAILED_PRECONDITION, refused.message);
    assert.equal(refused.errorInfo, null);
  };
  const before = controls.calls(BATCH_READ);
  await Promise.all(Array.from({ length: CALLERS }, (_, index) => run(index)));
  // An Action and a Command for each, and the levels of the tree.
  const reads = controls.calls(BATCH_READ) - before;
  assert.ok(reads <= 2 * CALLERS + 10, `${reads} reads`);
});
