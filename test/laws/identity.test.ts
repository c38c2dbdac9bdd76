import assert from "node:assert/strict";
import { test } from "node:test";
import { editRequest } from "../../src/plan/run-hooks.ts";
import { LEVELS } from "../../src/spec/versions.ts";
import { call, client, plan, server } from "../translators/support.ts";
import { COMMON_REQUESTS, commonStore } from "./requests.ts";

// Law: where nothing needs translating, bytes go through untouched.

const { upstream } = commonStore();

for (const level of LEVELS) {
  test(`peers that both speak ${level} have every method relayed`, () => {
    const { methods, checks, content, lenses, metadata } = plan(client({ level }), server({ level }));
    assert.deepEqual([...methods.keys()], []);
    assert.deepEqual([checks.length, content.length, lenses.length, metadata.length], [0, 0, 0, 0]);
  });
}

for (const newer of LEVELS) {
  test(`what is common to all levels passes as the same buffer between ${newer} and every other`, async () => {
    for (const older of LEVELS) {
      for (const [from, to] of [
        [newer, older],
        [older, newer],
      ] as const) {
        const { methods } = plan(client({ level: from }), server({ level: to }));
        for (const [path, message] of COMMON_REQUESTS) {
          const method = methods.get(path);
          if (method === undefined) continue;
          assert.notEqual(method.lane, "reject", `${path} from ${from} to ${to}`);
          assert.equal(
            await editRequest(method, message, call(path, upstream)),
            message,
            `${path} from ${from} to ${to}`,
          );
        }
      }
    }
  });
}

test("peers nobody described get a plan as well", async () => {
  const { methods } = plan(client({ level: null }), server({ level: null }));
  for (const [path, message] of COMMON_REQUESTS) {
    const method = methods.get(path);
    if (method !== undefined)
      assert.equal(await editRequest(method, message, call(path, upstream)), message, path);
  }
});
