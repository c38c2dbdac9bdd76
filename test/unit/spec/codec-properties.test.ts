/** Properties of the codec over generated messages of every type. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { codec, type Draft, type MessageName } from "../../../src/spec/codec.ts";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import { bytes, field, varintField } from "./wire-bytes.ts";

interface Field {
  name: string;
  type: string;
  label?: string;
  oneof?: string;
}

const schema: Record<string, Field[]> = JSON.parse(
  readFileSync(new URL("../../../src/spec/generated/schema.json", import.meta.url), "utf8"),
);
const names = Object.keys(schema) as MessageName[];
const newest = codec();

const SCALARS: Record<string, fc.Arbitrary<unknown>> = {
  bool: fc.boolean(),
  bytes: fc.uint8Array({ maxLength: 20 }),
  int32: fc.integer(),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  string: fc.string({ unit: "binary", maxLength: 10 }),
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
};

/** Drafts of a message, some fields left out, nested to the given depth. Fields of the newest level only, one member of a oneof. */
function draft(name: string, depth: number): fc.Arbitrary<Record<string, unknown>> {
  const fields = (schema[name] ?? []).filter(
    ({ name: own }) => !own.startsWith("legacy") && own !== "outputNodeProperties",
  );
  const seen = new Set<string>();
  const model: Record<string, fc.Arbitrary<unknown>> = {};
  for (const { name: own, type, label, oneof } of fields) {
    if (oneof !== undefined && seen.has(oneof)) continue;
    if (oneof !== undefined) seen.add(oneof);
    const scalar = SCALARS[type];
    if (scalar === undefined && depth === 0) continue;
    const value = scalar ?? draft(type, depth - 1);
    if (label === "map") model[own] = fc.dictionary(fc.string({ maxLength: 5 }), value, { maxKeys: 3 });
    else model[own] = label === "repeated" ? fc.array(value, { maxLength: 3 }) : value;
  }
  return fc.record(model, { requiredKeys: [] });
}

describe("for every message type", () => {
  for (const name of names) {
    it(`${name}: what was encoded is decoded, and encoding that gives the same bytes`, () => {
      fc.assert(
        fc.property(draft(name, 2), (message) => {
          const wire = newest.encode(name, message as Draft<Messages[typeof name]>);
          const decoded = newest.decode(name, wire);
          assert.deepEqual(newest.encode(name, decoded as Draft<Messages[typeof name]>), wire);
          assertHolds(decoded as unknown as Record<string, unknown>, message, name);
        }),
        { numRuns: 25 },
      );
    });

    it(`${name}: arbitrary unknown fields come back as they were`, () => {
      fc.assert(
        fc.property(
          draft(name, 1),
          fc.integer({ min: 100, max: 2 ** 29 - 1 }),
          fc.uint8Array(),
          (message, number, body) => {
            const known = newest.encode(name, message as Draft<Messages[typeof name]>);
            const wire = bytes(known, field(number, body), varintField(number, 3n));
            assert.deepEqual(
              newest.encode(name, newest.decode(name, wire) as Draft<Messages[typeof name]>),
              wire,
            );
          },
        ),
        { numRuns: 10 },
      );
    });
  }

  it("any bytes are either decoded or a MalformedMessageError", () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.uint8Array({ maxLength: 60 }), (name, wire) => {
        try {
          newest.decode(name, wire);
        } catch (error) {
          assert.equal((error as Error).name, "MalformedMessageError");
        }
      }),
      { numRuns: 5000 },
    );
  });
});

/** Every field of the draft is in the message, with the same value; what the draft lacks is absent there too. */
function assertHolds(
  message: Record<string, unknown>,
  expected: Record<string, unknown>,
  path: string,
): void {
  for (const [key, value] of Object.entries(expected)) assertEqual(message[key], value, `${path}.${key}`);
}

function assertEqual(actual: unknown, expected: unknown, path: string): void {
  if (expected instanceof Uint8Array)
    assert.deepEqual(Buffer.from(actual as Uint8Array), Buffer.from(expected), path);
  else if (Array.isArray(expected)) {
    assert.equal((actual as unknown[]).length, expected.length, path);
    for (const [i, item] of expected.entries()) assertEqual((actual as unknown[])[i], item, `${path}[${i}]`);
  } else if (typeof expected === "object" && expected !== null) {
    assertHolds(actual as Record<string, unknown>, expected as Record<string, unknown>, path);
  } else assert.ok(Object.is(actual, expected), `${path}: ${String(actual)} is not ${String(expected)}`);
}
