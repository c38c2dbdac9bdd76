import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EXECUTE } from "../../../src/translators/methods.ts";
import { clientBefore, serverDialect } from "../../support/known-peers.ts";
import { hex } from "../../unit/wire/support.ts";
import { messages, readAction, readCommand } from "../actions.ts";
import { client, plan, server, transformed } from "../support.ts";

const LINUX = { properties: [{ name: "OSFamily", value: "linux" }] };
const WINDOWS = { properties: [{ name: "OSFamily", value: "windows" }] };

const commandReader = plan(client(), server({ level: "2.1" }));
const actionReader = plan(client(), server({ forms: { "action-platform": { reads: ["action"] } } }));
const strictReader = plan(
  client(),
  server({ level: "2.1", forms: { "strict-canonical": { reads: ["strict"] } } }),
);

test("given a platform in the Action only, when the server reads the Command's, then it is there as well", () => {
  const given = messages({ platform: LINUX, timeout: { seconds: 5n } }, { arguments: ["a"] });
  const { action, command } = transformed(commandReader, given);
  assert.equal(action, given.action);
  assert.deepEqual(command, messages({}, { arguments: ["a"], platform: LINUX }).command);
});

test("given the same platform in both, then both are the very buffers, whoever reads", () => {
  const given = messages({ platform: LINUX }, { platform: LINUX });
  for (const pair of [commandReader, actionReader]) {
    const { action, command } = transformed(pair, given);
    assert.equal(action, given.action);
    assert.equal(command, given.command);
  }
});

test("given different ones, then the one in the Action counts, as for a server that knows it", () => {
  const given = messages({ platform: LINUX }, { platform: WINDOWS });
  const { action, command } = transformed(commandReader, given);
  assert.equal(action, given.action);
  assert.deepEqual(readCommand(command).platform, readAction(given.action).platform);
  assert.equal(transformed(actionReader, given).action, given.action);
});

test("given a platform in the Command only, then a server of the Command's gets the very buffers", () => {
  const given = messages({}, { platform: LINUX });
  const { action, command } = transformed(commandReader, given);
  assert.equal(action, given.action);
  assert.equal(command, given.command);
});

test("given the same, when the server reads the Action's only, then it is there as well", () => {
  const given = messages({ doNotCache: true }, { platform: LINUX });
  const { action, command } = transformed(actionReader, given);
  assert.deepEqual(action, messages({ doNotCache: true, platform: LINUX }).action);
  assert.equal(command, given.command);
});

test("given an empty platform in the Action, then it asks for nothing, and the Command's goes", () => {
  const given = messages({ platform: {} }, { platform: LINUX, arguments: ["a"] });
  const { action, command } = transformed(commandReader, given);
  assert.equal(action, given.action);
  assert.deepEqual(command, messages({}, { arguments: ["a"] }).command);
  assert.equal(transformed(actionReader, given).action, given.action);
});

test("given empty platforms, which ask for nothing anywhere, then nothing changes", () => {
  const empty = messages({ platform: {} }, {});
  assert.equal(transformed(commandReader, empty).command, empty.command);
  const inCommand = messages({}, { platform: {} });
  assert.equal(transformed(actionReader, inCommand).action, inCommand.action);
});

test("given properties that are not sorted, then the bytes are copied as they are: their order is the client's", () => {
  // Platform: name "b", name "a"; in Action.10.
  const action = hex("52 0a 0a 03 0a 01 62 0a 03 0a 01 61");
  const { command } = transformed(commandReader, { action, command: Buffer.alloc(0) });
  assert.deepEqual(command, hex("2a 0a 0a 03 0a 01 62 0a 03 0a 01 61"));
});

test("given a platform in two pieces, then they are one, as every reader merges them", () => {
  const action = hex("52 05 0a 03 0a 01 61 52 05 0a 03 0a 01 62");
  const { command } = transformed(commandReader, { action, command: Buffer.alloc(0) });
  assert.deepEqual(command, hex("2a 0a 0a 03 0a 01 61 0a 03 0a 01 62"));
  const merged = { action, command };
  assert.equal(transformed(commandReader, merged).command, command);
});

test("given a server to which unknown fields are an error, then the platform moves, and nothing is left in the Action", () => {
  const given = messages({ platform: LINUX, doNotCache: true });
  const { action, command } = transformed(strictReader, given);
  assert.deepEqual(action, messages({ doNotCache: true }).action);
  assert.deepEqual(readCommand(command).platform, readAction(given.action).platform);
  const both = messages({ platform: LINUX }, { platform: LINUX });
  const moved = transformed(strictReader, both);
  assert.deepEqual(moved.action, Buffer.alloc(0));
  assert.equal(moved.command, both.command);
});

test("unknown fields of both survive, and a second time changes nothing", () => {
  const unknown = hex("9a 06 03 61 62 63");
  const given = messages({ platform: LINUX }, { arguments: ["a"] });
  const extended = {
    action: Buffer.concat([given.action, unknown]),
    command: Buffer.concat([given.command, unknown]),
  };
  const once = transformed(commandReader, extended);
  assert.ok(once.command.includes(unknown));
  const twice = transformed(commandReader, once);
  assert.equal(twice.command, once.command);
  assert.equal(twice.action, once.action);
});

test("given a client that always writes both, then its calls stay in the relay lane", () => {
  const farm = serverDialect("buildfarm@2.15");
  const both = plan(clientBefore("bazel@9", farm), farm);
  const row = both.decisions.find(({ feature, from }) => feature === "action-platform" && from === "action");
  assert.deepEqual([row?.verdict, row?.to], ["pass", "command"]);
  assert.ok(!both.methods.get(EXECUTE)?.features.includes("action-platform"));
  // One that writes either is looked at.
  const either = plan(client(), farm);
  assert.ok(either.methods.get(EXECUTE)?.features.includes("action-platform"));
});

test("Buck2, Pants, Siso and Goma at a Buildbarn that reads Action.platform only", () => {
  const barn = serverDialect("buildbarn@2026-03-26");
  for (const name of ["buck2", "pants@2.33", "siso@2025-05", "goma"]) {
    const given = messages({}, { platform: LINUX, outputPaths: ["a"] });
    const { action } = transformed(plan(clientBefore(name, barn), barn), given);
    assert.deepEqual(readAction(action).platform, readCommand(given.command).platform, name);
  }
});

test("bytes of any kind are edited or refused as broken, and an edit is left alone by a second one", () => {
  const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
  fc.assert(
    fc.property(
      fc.constantFrom(commandReader, actionReader, strictReader),
      bytes,
      bytes,
      (pair, action, command) => {
        try {
          const once = transformed(pair, { action, command });
          const twice = transformed(pair, once);
          assert.equal(twice.action, once.action);
          assert.equal(twice.command, once.command);
        } catch (error) {
          assert.ok(["WireError", "BridgeError"].includes((error as Error).name), String(error));
        }
      },
    ),
    { numRuns: 500 },
  );
});
