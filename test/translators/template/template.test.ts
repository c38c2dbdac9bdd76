import assert from "node:assert/strict";
import { test } from "node:test";
import { compilePlan } from "../../../src/plan/compile.ts";
import { editRequest } from "../../../src/plan/run-hooks.ts";
import type { Level } from "../../../src/spec/versions.ts";
import { registryProblems } from "../../../src/translators/check-registry.ts";
import { FIND_MISSING_BLOBS } from "../../../src/translators/methods.ts";
import { TRANSLATORS } from "../../../src/translators/registry.ts";
import { resolveDialect } from "../../../src/translators/resolve-dialect.ts";
import { FieldWriter } from "../../../src/wire/field-writer.ts";
import { call } from "../support.ts";
import { template } from "./template.ts";

function between(client: Level, server: Level) {
  const evidence = { source: "profile", note: "the test" } as const;
  const peer = <R extends "client" | "server">(role: R, value: Level) =>
    resolveDialect(
      { role, name: role, level: { value, evidence }, digestFunctions: [], missingMethods: [], claims: [] },
      [template],
    );
  return compilePlan({ client: peer("client", client), server: peer("server", server) }, {}, [template]);
}

const greeting = (text: string): Buffer => {
  const out = new FieldWriter();
  out.text(1, "instance");
  out.text(900, text);
  return out.toBuffer();
};

test("it fits in with all that are registered", () => {
  assert.deepEqual(registryProblems([...TRANSLATORS, template]), []);
});

test("given a newer client, then an older server gets what it reads, or the call is refused", async () => {
  const method = between("2.1", "2.0").methods.get(FIND_MISSING_BLOBS)!;
  const edited = await editRequest(method, greeting("hello"), call(FIND_MISSING_BLOBS));
  assert.deepEqual(edited, greeting("HELLO"));
  await assert.rejects(
    editRequest(method, greeting("ß"), call(FIND_MISSING_BLOBS)),
    /greet in letters that have an upper case/,
  );
});

test("given peers that agree, or a newer server, then calls are relayed", () => {
  for (const [client, server] of [
    ["2.0", "2.0"],
    ["2.1", "2.1"],
    ["2.0", "2.1"],
  ] as const) {
    assert.equal(between(client, server).methods.size, 0);
  }
});
