import fc from "fast-check";
import type { Plan } from "../../../src/plan/plan.ts";
import { codec, type Draft } from "../../../src/spec/codec.ts";
import type { Messages } from "../../../src/spec/generated/messages.ts";
import { isLevel, type Level } from "../../../src/spec/versions.ts";
import { joined } from "../../../src/wire/rewrite.ts";
import { client, plan, server, steps } from "../support.ts";

const V2 = "build.bazel.remote.execution.v2";

export type Directory = Draft<Messages[`${typeof V2}.Directory`]>;

/** A Directory as a level writes it. */
export const directory = (level: Level, draft: Directory): Buffer =>
  codec(level).encode(`${V2}.Directory`, draft);

/** The plan of a client and a server in forms of their own, or of levels. */
export function between(from: string, to: string): Plan {
  return plan(client(described(from)), server(described(to)));
}

function described(name: string) {
  if (isLevel(name)) return { level: name };
  return { forms: { "node-properties": { reads: [name, "none"], writes: [name, "none"] } } };
}

/** A Directory as the upstream of a plan gets it: the very buffer where nothing changes. */
export function sent(pair: Plan, bytes: Buffer): Buffer {
  return steps(pair).reduce(
    (current, { directory: hook }) => joined(hook?.(current) ?? null, current),
    bytes,
  );
}

/** Attributes that both forms can express, as a message. */
const properties = fc.record({
  properties: fc
    .uniqueArray(fc.record({ name: fc.stringMatching(/^[a-z]{1,3}$/), value: fc.string({ maxLength: 3 }) }), {
      selector: ({ name }) => name,
      maxLength: 2,
    })
    .map((list) => list.sort((a, b) => (a.name < b.name ? -1 : 1))),
  mtime: fc.option(
    fc.record({ seconds: fc.bigInt(0n, 4_000_000_000n), nanos: fc.integer({ min: 0, max: 999_999_999 }) }),
  ),
  unixMode: fc.option(fc.record({ value: fc.integer({ min: 0, max: 0o7777 }) })),
});

/** Attributes of a node, which may have none; never empty ones, as those become absent. */
export const someProperties = fc.option(
  properties.filter(
    ({ properties: pairs, mtime, unixMode }) => pairs.length > 0 || mtime !== null || unixMode !== null,
  ),
);
