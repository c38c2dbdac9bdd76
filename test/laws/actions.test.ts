import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection } from "../../src/client/connection.ts";
import { mannerOf } from "../../src/client/manner.ts";
import { RemoteClient } from "../../src/client/remote-client.ts";
import { SHAPES, type Shape, sampleOf } from "../../src/client/samples.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { BridgeError } from "../../src/spec/bridge-error.ts";
import { LEVELS, type Level } from "../../src/spec/versions.ts";
import type { ActionMessages } from "../../src/translators/translator.ts";
import { FieldWriter } from "../../src/wire/field-writer.ts";
import { joined } from "../../src/wire/rewrite.ts";
import { Walker } from "../../src/wire/walker.ts";
import { client, plan, server, steps, transformed } from "../translators/support.ts";

// Laws of what becomes of actions, for every pair of levels and every shape that a client of the level can say.

interface Written extends ActionMessages {
  readonly shape: Shape;
  readonly directories: readonly Buffer[];
}

const written = new Map<Level, readonly Written[]>();

/** The messages of every shape, as clients of a level write them. */
function writtenBy(level: Level): readonly Written[] {
  const known = written.get(level) ?? writeAll(level);
  written.set(level, known);
  return known;
}

function writeAll(level: Level): readonly Written[] {
  const connection = new Connection("127.0.0.1:1", { level });
  const writer = new RemoteClient(connection, mannerOf(level));
  try {
    return (Object.keys(SHAPES) as Shape[]).map((shape) => {
      const { spec, inputs } = sampleOf(shape);
      const given = writer.inputs(inputs);
      const { encoded, blobs } = writer.prepare(spec, given);
      return {
        shape,
        action: encoded.action.bytes,
        command: encoded.command.bytes,
        // After the contents of files and before Command and Action.
        directories: blobs.slice(given.blobs.length, -2).map(({ bytes }) => bytes),
      };
    });
  } finally {
    connection.close();
  }
}

/** What the upstream gets, or the feature that refuses. */
function upstreamForm(made: Plan, given: ActionMessages): ActionMessages | string {
  try {
    const { action, command } = transformed(made, given);
    return { action, command };
  } catch (error) {
    if (error instanceof BridgeError) return error.facts.feature;
    throw error;
  }
}

function editedDirectory(made: Plan, directory: Buffer): Buffer | string {
  try {
    return steps(made).reduce(
      (current, { directory: edit }) => joined(edit?.(current) ?? null, current),
      directory,
    );
  } catch (error) {
    if (error instanceof BridgeError) return error.facts.feature;
    throw error;
  }
}

const pairs = LEVELS.flatMap((from) => LEVELS.map((to) => ({ from, to })));

function eachPair(law: (made: Plan, of: Written, name: string) => void): void {
  for (const { from, to } of pairs) {
    const made = plan(client({ level: from }), server({ level: to }));
    for (const each of writtenBy(from)) law(made, each, `${each.shape}, ${from} > ${to}`);
  }
}

test("f is pure: the same for equal input", () => {
  eachPair((made, given, name) => {
    const again = { action: Buffer.from(given.action), command: Buffer.from(given.command) };
    assert.deepEqual(upstreamForm(made, given), upstreamForm(made, again), name);
    for (const directory of given.directories)
      assert.deepEqual(editedDirectory(made, directory), editedDirectory(made, Buffer.from(directory)), name);
  });
});

test("f is idempotent: what the upstream reads stays as it is", () => {
  eachPair((made, given, name) => {
    const once = upstreamForm(made, given);
    if (typeof once !== "string") {
      const twice = upstreamForm(made, once) as ActionMessages;
      assert.equal(twice.action, once.action, name);
      assert.equal(twice.command, once.command, name);
    }
    for (const directory of given.directories) {
      const edited = editedDirectory(made, directory);
      if (typeof edited !== "string") assert.equal(editedDirectory(made, edited), edited, name);
    }
  });
});

test("where client and server are of one level every buffer is the client's own", () => {
  for (const level of LEVELS) {
    const made = plan(client({ level }), server({ level }));
    for (const given of writtenBy(level)) {
      const { action, command } = transformed(made, given);
      assert.equal(action, given.action, `${given.shape}, ${level}`);
      assert.equal(command, given.command, `${given.shape}, ${level}`);
      for (const directory of given.directories) assert.equal(editedDirectory(made, directory), directory);
    }
  }
});

test("fields that nobody knows survive in Action, Command and Directories", () => {
  const out = new FieldWriter();
  out.text(4000, "unknown");
  const unknown = out.toBuffer();
  const withUnknown = (bytes: Buffer) => Buffer.concat([bytes, unknown]);
  eachPair((made, given, name) => {
    const all = { action: withUnknown(given.action), command: withUnknown(given.command) };
    const form = upstreamForm(made, all);
    if (typeof form === "string") return;
    for (const bytes of [form.action, form.command])
      assert.deepEqual(bytes.subarray(-unknown.length), unknown, name);
    for (const directory of given.directories) {
      const edited = editedDirectory(made, withUnknown(directory));
      if (typeof edited !== "string") assert.deepEqual(edited.subarray(-unknown.length), unknown, name);
    }
  });
});

test("what is written is canonical: numbers ascend", () => {
  const ascends = (bytes: Buffer): boolean => {
    let last = 0;
    const field = new Walker(bytes);
    while (field.next()) {
      if (field.number < last) return false;
      last = field.number;
    }
    return true;
  };
  eachPair((made, given, name) => {
    const form = upstreamForm(made, given);
    if (typeof form === "string") return;
    assert.ok(ascends(form.action) && ascends(form.command), name);
    for (const directory of given.directories) {
      const edited = editedDirectory(made, directory);
      if (typeof edited !== "string") assert.ok(ascends(edited), name);
    }
  });
});
