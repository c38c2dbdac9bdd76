import assert from "node:assert/strict";
import { test } from "node:test";
import { LEVELS } from "../../../src/spec/versions.ts";
import { messages } from "../actions.ts";
import { client, plan, server, transformed } from "../support.ts";

test("the timeout of an action is the client's own with servers of every level, and nothing is refused over it", () => {
  const given = messages({ timeout: { seconds: 30n } });
  for (const level of LEVELS) {
    for (const pair of [plan(client(), server({ level })), plan(client({ level }), server())]) {
      assert.equal(transformed(pair, given).action, given.action, level);
      const verdicts = pair.decisions
        .filter(({ feature }) => feature === "timeouts")
        .map(({ verdict }) => verdict);
      assert.ok(
        verdicts.every((verdict) => verdict === "native" || verdict === "pass"),
        level,
      );
    }
  }
});
