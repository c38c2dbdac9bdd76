import assert from "node:assert/strict";
import { test } from "node:test";
import { Memory } from "../../../src/actions/memory.ts";
import { BridgeError } from "../../../src/spec/bridge-error.ts";
import { codec } from "../../../src/spec/codec.ts";
import {
  CANCEL_OPERATION,
  EXECUTE,
  GET_OPERATION,
  WAIT_EXECUTION,
} from "../../../src/translators/methods.ts";
import type { ContentHooks } from "../../../src/translators/translator.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { preconditionFailureDetail, readPreconditionFailure } from "../../../src/wire/error-details.ts";
import { untagOperation } from "../../../src/wire/operation-name.ts";
import { Status } from "../../../src/wire/status.ts";
import { encodeStatusDetails } from "../../../src/wire/status-details.ts";
import {
  addsArgument,
  ask,
  engineOf,
  execute,
  Farm,
  key,
  type MessageDigest,
  OPERATION,
  readOperation,
  seven,
  V2,
} from "./support.ts";

const named = (name: string): Buffer => codec().encode("google.longrunning.GetOperationRequest", { name });

test("another action runs in place of the client's, which never hears of it", async () => {
  const farm = new Farm();
  const action = farm.action();
  const [operation] = await execute(engineOf([addsArgument()]), farm, action);
  assert.deepEqual(farm.commandOf(farm.ran[0]!).arguments, ["a", "added"]);
  assert.deepEqual(operation?.actionDigest, { ...action });
  assert.equal(farm.calls.write, 1);
});

test("where nothing has to change the very request goes on", async () => {
  const farm = new Farm();
  const request = codec().encode(`${V2}.ExecuteRequest`, { actionDigest: farm.action(null, "added") });
  const [operation] = await ask(engineOf([addsArgument()]), EXECUTE, request, farm);
  assert.equal(farm.executed[0], request);
  assert.equal(farm.calls.write + farm.calls.find, 0);
  assert.equal(readOperation(operation!).done, true);
});

test("a second execution reads nothing, and asks once whether all is there", async () => {
  const farm = new Farm();
  const action = farm.action();
  const engine = engineOf([addsArgument()]);
  await execute(engine, farm, action);
  const { length } = farm.read;
  const { find, write } = farm.calls;
  await execute(engine, farm, action);
  assert.equal(farm.read.length, length);
  assert.deepEqual(farm.calls, { ...farm.calls, find: find + 1, write });
  assert.deepEqual(farm.ran[0], farm.ran[1]);
});

test("two replicas make the same of an action", async () => {
  const farm = new Farm();
  const action = farm.action();
  await execute(engineOf([addsArgument()]), farm, action);
  await execute(engineOf([addsArgument()]), farm, action);
  assert.deepEqual(farm.ran[0], farm.ran[1]);
  assert.equal(farm.calls.write, 1);
});

test("what the upstream loses of the bridge's own is stored again, in whatever words it tells", async () => {
  const losses: ((missing: MessageDigest) => UpstreamError)[] = [
    () => new UpstreamError(Status.NOT_FOUND, "no such blob"),
    () => new UpstreamError(Status.FAILED_PRECONDITION, "a blob is missing"),
  ];
  for (const loss of losses) {
    for (const inResponse of [false, true]) {
      const farm = new Farm();
      const engine = engineOf([addsArgument()]);
      const action = farm.action();
      await execute(engine, farm, action);
      const run = farm.onExecute;
      let times = 0;
      farm.onExecute = (request) => {
        if (times++ > 0) return run(request);
        const missing = farm.ran[0]!;
        farm.blobs.delete(key(missing));
        const { code, message } = loss(missing);
        if (inResponse) return [farm.operation(missing, { status: { code, message } })];
        throw loss(missing);
      };
      const operations = await execute(engine, farm, action);
      assert.equal(times, 2);
      assert.equal(operations.at(-1)?.response?.result?.exitCode, 0);
    }
  }
});

test("it is stored again once, not for ever", async () => {
  const farm = new Farm();
  let times = 0;
  farm.onExecute = (request) => {
    times++;
    const { actionDigest } = codec().decode(`${V2}.ExecuteRequest`, request);
    farm.blobs.delete(key(actionDigest!));
    throw new UpstreamError(Status.NOT_FOUND, "it is gone");
  };
  await assert.rejects(execute(engineOf([addsArgument()]), farm, farm.action()), { code: Status.NOT_FOUND });
  assert.equal(times, 2);
});

test("missing blobs are named by the client's own digests", async () => {
  const farm = new Farm();
  const action = farm.action();
  const engine = engineOf([addsArgument()]);
  const other = "cd".repeat(32);
  farm.onExecute = (request) => {
    const { actionDigest } = codec().decode(`${V2}.ExecuteRequest`, request);
    const command = codec().decode(`${V2}.Action`, farm.blobs.get(key(actionDigest!))!).commandDigest!;
    const details = [
      preconditionFailureDetail(
        [key(actionDigest!), `blake3/${key(command)}`, `${other}/3`].map((digest) => ({
          type: "MISSING",
          subject: `blobs/${digest}`,
          description: "d",
        })),
      ),
    ];
    throw new UpstreamError(9, "missing", encodeStatusDetails({ code: 9, message: "missing", details }));
  };
  const command = codec().decode(`${V2}.Action`, farm.blobs.get(key(action))!).commandDigest!;
  await assert.rejects(execute(engine, farm, action), (error) => {
    const [detail] = (error as UpstreamError).details;
    assert.deepEqual(
      readPreconditionFailure(detail!.value).map(({ subject, description }) => [subject, description]),
      [
        [`blobs/${key(action)}`, "d"],
        [`blobs/blake3/${key(command)}`, "d"],
        [`blobs/${other}/3`, "d"],
      ],
    );
    return true;
  });
});

test("the same holds for the status of a response", async () => {
  const farm = new Farm();
  const action = farm.action();
  const engine = engineOf([addsArgument()]);
  farm.onExecute = (request) => {
    const { actionDigest } = codec().decode(`${V2}.ExecuteRequest`, request);
    const subject = `blobs/${key(actionDigest!)}`;
    const { typeUrl, value } = preconditionFailureDetail([{ type: "MISSING", subject, description: "" }]);
    const status = { code: 9, message: "missing", details: [{ typeUrl, value }] };
    return [farm.operation({ hash: actionDigest!.hash, sizeBytes: actionDigest!.sizeBytes }, { status })];
  };
  const [operation] = await execute(engine, farm, action);
  const [detail] = operation!.response!.status!.details;
  assert.deepEqual(
    readPreconditionFailure(Buffer.from(detail!.value)).map(({ subject }) => subject),
    [`blobs/${key(action)}`],
  );
});

test("blobs of the client's own that are gone are asked for, even where the bridge remembers them", async () => {
  const farm = new Farm();
  const action = farm.action();
  const engine = engineOf([addsArgument()]);
  await execute(engine, farm, action);
  farm.blobs.delete(key(action));
  await assert.rejects(
    execute(engine, farm, action),
    (error) => error instanceof BridgeError && error.facts.missing?.[0]?.subject === `blobs/${key(action)}`,
  );
});

test("a store that takes nothing says which blob, before an operation exists", async () => {
  class ReadOnly extends Farm {
    override async writeBlobs(): Promise<void> {
      throw new UpstreamError(Status.PERMISSION_DENIED, "read only");
    }
  }
  const farm = new ReadOnly();
  await assert.rejects(execute(engineOf([addsArgument()]), farm, farm.action()), {
    code: Status.PERMISSION_DENIED,
    message: /does not take the blob [0-9a-f]{64}\/\d+ or one of 1 others.*read only/,
  });
  assert.equal(farm.executed.length, 0);
});

test("a result that cannot be given the client's form becomes the status of the response", async () => {
  const farm = new Farm();
  const broken: ContentHooks = {
    result() {
      throw new UpstreamError(Status.NOT_FOUND, "a Tree is gone");
    },
  };
  const [operation] = await execute(engineOf([broken]), farm, farm.action());
  assert.equal(operation!.response!.status?.code, Status.NOT_FOUND);
  assert.equal(operation!.response!.result, null);
});

test("an operation of another action is not passed off as the client's", async () => {
  const farm = new Farm();
  const other = farm.action(null, "other");
  farm.onExecute = () => [farm.operation(other)];
  await assert.rejects(execute(engineOf([addsArgument()]), farm, farm.action()), { code: Status.INTERNAL });
});

test("the name of an operation leads any replica to it", async () => {
  const farm = new Farm();
  const action = farm.action();
  const [operation] = await execute(engineOf([addsArgument(), seven]), farm, action);
  const { name, tag } = untagOperation(operation!.name);
  assert.equal(name, "operations/0");
  assert.equal(key({ ...tag!.execution!.action }), key(action));
  for (const path of [WAIT_EXECUTION, GET_OPERATION]) {
    const replica = engineOf([addsArgument(), seven]);
    const [again] = (await ask(replica, path, named(operation!.name), farm)).map(readOperation);
    assert.deepEqual(again!.actionDigest, { ...action }, path);
    assert.equal(again!.response!.result!.exitCode, 7);
    assert.equal(again!.name, operation!.name);
  }
  await ask(engineOf([addsArgument()]), CANCEL_OPERATION, named(operation!.name), farm);
  assert.deepEqual(farm.cancelled, ["operations/0"]);
});

test("a name that was made up leads to no other action", async () => {
  const farm = new Farm();
  const action = farm.action();
  const other = farm.action(null, "other");
  const engine = engineOf([addsArgument()]);
  const [mine] = await execute(engine, farm, action);
  const [theirs] = await execute(engine, farm, other);
  const forged = mine!.name.replace("operations/0", "operations/1");
  assert.notEqual(forged, theirs!.name);
  for (const path of [WAIT_EXECUTION, GET_OPERATION]) {
    await assert.rejects(
      ask(engine, path, named(forged), farm),
      (error) => error instanceof BridgeError && error.facts.code === "operation-unknown",
    );
  }
});

test("an operation whose action is gone is not known any more", async () => {
  const farm = new Farm();
  const action = farm.action();
  const [operation] = await execute(engineOf([addsArgument()]), farm, action);
  farm.blobs.delete(key(action));
  await assert.rejects(
    ask(engineOf([addsArgument()]), WAIT_EXECUTION, named(operation!.name), farm),
    (error) => error instanceof BridgeError && error.status === Status.NOT_FOUND,
  );
});

test("names of others pass as they are", async () => {
  const farm = new Farm();
  farm.operation(farm.action());
  const [operation] = await ask(engineOf([addsArgument()]), WAIT_EXECUTION, named("operations/0"), farm);
  assert.deepEqual(operation, farm.operations.get("operations/0"));
});

test("a stream that ends before its operation is followed by another", async () => {
  const farm = new Farm();
  const running = codec().encode(OPERATION, { name: "operations/0" });
  farm.onExecute = (request) => {
    const { actionDigest } = codec().decode(`${V2}.ExecuteRequest`, request);
    farm.operation({ hash: actionDigest!.hash, sizeBytes: actionDigest!.sizeBytes });
    return [running];
  };
  const operations = await execute(engineOf([seven]), farm, farm.action());
  assert.deepEqual(
    operations.map(({ done }) => done),
    [false, true],
  );
  farm.operations.clear();
  farm.onExecute = () => {
    farm.operations.set("operations/0", running);
    return [running];
  };
  await assert.rejects(execute(engineOf([seven]), farm, farm.action()), { code: Status.UNAVAILABLE });
});

test("without WaitExecution an operation is looked at until it is over", async () => {
  class Polled extends Farm {
    looks = 0;
    override async *waitExecution(): AsyncGenerator<Buffer, void, void> {
      yield await Promise.reject<Buffer>(new UpstreamError(Status.UNIMPLEMENTED, "no"));
    }
    override async getOperation(name: string): Promise<Buffer> {
      return this.looks++ < 2 ? codec().encode(OPERATION, { name }) : super.getOperation(name);
    }
  }
  const farm = new Polled();
  const action = farm.action();
  const engine = engineOf([seven], { manner: { polls: true } });
  const [operation] = await execute(engine, farm, action);
  const waited = (await ask(engine, WAIT_EXECUTION, named(operation!.name), farm)).map(readOperation);
  assert.deepEqual(
    waited.map(({ done }) => done),
    [false, true],
  );
  assert.equal(waited.at(-1)!.response!.result!.exitCode, 7);
});

/** Neither waits for operations nor tells of them. */
class Forgetful extends Farm {
  override async *waitExecution(): AsyncGenerator<Buffer, void, void> {
    yield await Promise.reject<Buffer>(new UpstreamError(Status.UNIMPLEMENTED, "no"));
  }
  override async getOperation(): Promise<Buffer> {
    throw new UpstreamError(Status.UNIMPLEMENTED, "no");
  }
}

test("where operations cannot be asked for, the action is executed again, unless it must not be", async () => {
  const farm = new Forgetful();
  const engine = engineOf([addsArgument()]);
  const [operation] = await execute(engine, farm, farm.action());
  const [again] = (await ask(engine, WAIT_EXECUTION, named(operation!.name), farm)).map(readOperation);
  assert.equal(again!.done, true);
  assert.deepEqual(farm.ran[0], farm.ran[1]);

  const [once] = await execute(engine, farm, farm.action(null, "once", { doNotCache: true }));
  await assert.rejects(ask(engine, WAIT_EXECUTION, named(once!.name), farm), { status: Status.NOT_FOUND });
});

test("other codes for an unknown operation become NOT_FOUND", async () => {
  class Odd extends Farm {
    override async *waitExecution(): AsyncGenerator<Buffer, void, void> {
      yield await Promise.reject<Buffer>(new UpstreamError(Status.INVALID_ARGUMENT, "unknown operation"));
    }
  }
  const engine = engineOf([], { manner: { unknown: [Status.INVALID_ARGUMENT] } });
  await assert.rejects(ask(engine, WAIT_EXECUTION, named("operations/9"), new Odd()), {
    code: Status.NOT_FOUND,
  });
});

test("an action that wants to be run alone gets a nonce, which the name of its operation carries", async () => {
  const farm = new Farm();
  const alone: ContentHooks = {
    nonce: () => true,
    action: ({ action }, { nonce }) =>
      nonce === null
        ? null
        : {
            action: [
              codec().encode(`${V2}.Action`, { ...codec().decode(`${V2}.Action`, action), salt: nonce }),
            ],
          },
  };
  const action = farm.action(null, "a", { doNotCache: true });
  const engine = engineOf([alone], { memory: new Memory() });
  const [first] = await execute(engine, farm, action);
  await execute(engine, farm, action);
  assert.notDeepEqual(farm.ran[0], farm.ran[1]);
  const [waited] = (await ask(engineOf([alone]), WAIT_EXECUTION, named(first!.name), farm)).map(
    readOperation,
  );
  assert.deepEqual(waited!.actionDigest, { ...action });
});

test("what is no Action, or has no Command, is refused as such", async () => {
  const farm = new Farm();
  const engine = engineOf([addsArgument()]);
  const noise = farm.store(Buffer.from([0x0a, 0xff]));
  await assert.rejects(execute(engine, farm, noise), { name: "WireError" });
  const orphan = farm.store(
    codec().encode(`${V2}.Action`, { commandDigest: { hash: "ab".repeat(32), sizeBytes: 4n } }),
  );
  await assert.rejects(
    execute(engine, farm, orphan),
    (error) => error instanceof BridgeError && error.facts.code === "action-missing",
  );
  assert.equal(farm.executed.length, 0);
});
