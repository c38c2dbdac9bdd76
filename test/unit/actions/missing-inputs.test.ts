import assert from "node:assert/strict";
import { test } from "node:test";
import { codec } from "../../../src/spec/codec.ts";
import { UpstreamError } from "../../../src/upstream/upstream-error.ts";
import { preconditionFailureDetail, readPreconditionFailure } from "../../../src/wire/error-details.ts";
import { Status } from "../../../src/wire/status.ts";
import { encodeStatusDetails } from "../../../src/wire/status-details.ts";
import { addsArgument, engineOf, execute, Farm, key, type MessageDigest, V2 } from "./support.ts";

const searching = engineOf([], { manner: { missing: "searched" } });

/** An action with a tree of two directories and a file in each. */
function sample(farm: Farm) {
  const file = farm.store(Buffer.from("one"));
  const deep = farm.store(Buffer.from("two"));
  const below = farm.store(codec().encode(`${V2}.Directory`, { files: [{ name: "two", digest: deep }] }));
  const root = farm.store(
    codec().encode(`${V2}.Directory`, {
      files: [{ name: "one", digest: file }],
      directories: [{ name: "d", digest: below }],
    }),
  );
  const action = farm.action(root);
  const command = codec().decode(`${V2}.Action`, farm.blobs.get(key(action))!).commandDigest!;
  return { action, command, root, below, file, deep };
}

/** The subjects of the violations in an error. */
function subjects(error: unknown): string[] {
  assert.ok(error instanceof UpstreamError);
  assert.equal(error.code, Status.FAILED_PRECONDITION);
  return error.details.flatMap(({ value }) => readPreconditionFailure(value).map(({ subject }) => subject));
}

test("blobs that are missing are named, whether they are told by text or by NOT_FOUND", async () => {
  for (const code of [Status.NOT_FOUND, Status.FAILED_PRECONDITION]) {
    for (const lost of ["action", "command", "root", "below", "file", "deep"] as const) {
      const farm = new Farm();
      const blobs = sample(farm);
      farm.onExecute = () => {
        throw new UpstreamError(code, "something is missing");
      };
      farm.blobs.delete(key(blobs[lost]));
      await assert.rejects(execute(searching, farm, blobs.action), (error) => {
        assert.deepEqual(subjects(error), [`blobs/${key(blobs[lost])}`]);
        assert.match((error as Error).message, /something is missing/);
        return true;
      });
    }
  }
});

test("the status of a response gets the same details", async () => {
  const farm = new Farm();
  const { action, file, deep } = sample(farm);
  farm.onExecute = () => [farm.operation(action, { status: { code: 5, message: "no blob" } })];
  farm.blobs.delete(key(file));
  farm.blobs.delete(key(deep));
  const [operation] = await execute(searching, farm, action);
  const { code, details } = operation!.response!.status!;
  assert.equal(code, Status.FAILED_PRECONDITION);
  const found = details.flatMap(({ value }) => readPreconditionFailure(Buffer.from(value)));
  assert.deepEqual(
    found.map(({ subject }) => subject).sort(),
    [`blobs/${key(file)}`, `blobs/${key(deep)}`].sort(),
  );
});

test("they are the client's own, also where another action runs", async () => {
  const farm = new Farm();
  const { action, deep } = sample(farm);
  farm.onExecute = () => {
    throw new UpstreamError(Status.NOT_FOUND, "no blob");
  };
  farm.blobs.delete(key(deep));
  const engine = engineOf([addsArgument()], { manner: { missing: "searched" } });
  await assert.rejects(execute(engine, farm, action), (error) => {
    assert.deepEqual(subjects(error), [`blobs/${key(deep)}`]);
    return true;
  });
});

const failing = async (error: UpstreamError, lost?: (of: Record<string, MessageDigest>) => MessageDigest) => {
  const farm = new Farm();
  const blobs = sample(farm);
  farm.onExecute = () => {
    throw error;
  };
  if (lost) farm.blobs.delete(key(lost(blobs)));
  await assert.rejects(execute(searching, farm, blobs.action), (thrown) => {
    assert.equal(thrown, error);
    return true;
  });
  return farm;
};

test("where nothing is missing the error stays as it is", async () => {
  await failing(new UpstreamError(Status.FAILED_PRECONDITION, "no worker for this platform"));
  await failing(new UpstreamError(Status.NOT_FOUND, "no such instance"));
});

test("other errors, and those that name blobs, are left alone without a question", async () => {
  const details = [preconditionFailureDetail([{ type: "MISSING", subject: "blobs/x/1", description: "" }])];
  const told = new UpstreamError(9, "m", encodeStatusDetails({ code: 9, message: "m", details }));
  for (const error of [told, new UpstreamError(Status.UNAVAILABLE, "down")]) {
    const farm = await failing(error, ({ file }) => file!);
    assert.equal(farm.calls.find, 0);
  }
});
