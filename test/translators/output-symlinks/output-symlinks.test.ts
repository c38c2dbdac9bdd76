import assert from "node:assert/strict";
import { test } from "node:test";
import { codec, type Draft } from "../../../src/spec/codec.ts";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import type { Level } from "../../../src/spec/versions.ts";
import { MemoryUpstream } from "../../support/memory-upstream.ts";
import { client, plan, server } from "../support.ts";

const V2 = "build.bazel.remote.execution.v2";
type Result = Draft<Messages[`${typeof V2}.ActionResult`]>;

const link = (path: string) => ({ path, target: "elsewhere" });
const encode = (result: Result): Buffer => codec().encode(`${V2}.ActionResult`, result);

/** The result as the client gets it: the very buffer where there is nothing to do. */
async function received(
  from: Level,
  to: Level,
  result: Buffer,
  command: Buffer | null = null,
): Promise<Buffer> {
  const made = plan(client({ level: from }), server({ level: to }));
  let current = result;
  for (const { result: hook } of made.content) {
    const edit = await hook?.(
      current,
      { action: async () => null, command: async () => command, port: new MemoryUpstream() },
      made.pair,
    );
    if (edit != null) current = Buffer.concat(edit);
  }
  return current;
}

test("given an older server's typed lists, when a newer client reads, then it finds all links in one list, sorted", async () => {
  const result: Result = {
    exitCode: 1,
    outputFileSymlinks: [link("c")],
    outputDirectorySymlinks: [link("a")],
  };
  assert.deepEqual(
    await received("2.1", "2.0", encode(result)),
    encode({ ...result, outputSymlinks: [link("a"), link("c")] }),
  );
});

test("given links that are in both lists already, then the result is left alone", async () => {
  const result = encode({ outputFileSymlinks: [link("a")], outputSymlinks: [link("a")] });
  assert.equal(await received("2.1", "2.0", result), result);
});

test("given a newer server's one list, when an older client reads, then it finds links among files", async () => {
  const result: Result = { outputSymlinks: [link("b")], outputFileSymlinks: [link("c")] };
  assert.deepEqual(
    await received("2.0", "2.1", encode(result)),
    encode({ ...result, outputFileSymlinks: [link("b"), link("c")] }),
  );
});

test("given a Command that declares a directory, then a link in its place is one to a directory", async () => {
  const command = codec().encode(`${V2}.Command`, { outputDirectories: ["b"], outputFiles: ["a"] });
  const result: Result = { outputSymlinks: [link("a"), link("b")] };
  assert.deepEqual(
    await received("2.0", "2.1", encode(result), command),
    encode({ ...result, outputFileSymlinks: [link("a")], outputDirectorySymlinks: [link("b")] }),
  );
});

test("given a result without links, then it is the same buffer either way", async () => {
  const result = encode({ exitCode: 3 });
  assert.equal(await received("2.0", "2.1", result), result);
  assert.equal(await received("2.1", "2.0", result), result);
});

test("a second time changes nothing, and what nobody knows survives", async () => {
  const unknown = Buffer.from("9a0603616263", "hex");
  const result = Buffer.concat([encode({ outputSymlinks: [link("b")] }), unknown]);
  const once = await received("2.0", "2.1", result);
  assert.ok(once.includes(unknown));
  assert.equal(await received("2.0", "2.1", once), once);
});
