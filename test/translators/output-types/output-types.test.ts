import assert from "node:assert/strict";
import { test } from "node:test";
import { client, plan, server } from "../support.ts";

/** What is decided about outputs of the wrong type, as far as anything is. */
function decided(from: Parameters<typeof client>[0], to: Parameters<typeof server>[0]): string[] {
  const made = plan(client(from), server(to));
  return made.decisions
    .filter(
      ({ feature, direction, verdict }) =>
        feature === "output-types" && direction === "toClient" && verdict !== "native",
    )
    .map(({ from: written, to: read, verdict, why }) => `${written} for ${read}: ${verdict}, ${why}`);
}

test("given a server that leaves them out, when the client expects an error, then it misses the output", () => {
  assert.deepEqual(decided({ level: "2.0" }, { level: "2018-11" }), []);
  const strict = { level: "2.0" as const, forms: { "output-types": { reads: ["error"] } } };
  assert.deepEqual(decided(strict, { level: "2018-11" }), [
    "omitted for error: pass, a client misses the output itself and says so",
  ]);
});

test("given a server that makes them an error, when the client is of 2018-11, then it gets the error", () => {
  assert.deepEqual(decided({ level: "2018-11" }, { level: "2.0" }), [
    "error for omitted: pass, an error in place of an omission hides nothing",
  ]);
});

test("given the same rule on both sides, then there is nothing to decide", () => {
  for (const level of ["2018-11", "2.0", "2.12"] as const)
    assert.deepEqual(decided({ level }, { level }), []);
});
