import assert from "node:assert/strict";
import { test } from "node:test";
import { LEVELS } from "../../../src/spec/versions.ts";
import { messages, readAction } from "../actions.ts";
import { client, plan, server, transformed } from "../support.ts";

const PLATFORM = { properties: [{ name: "OSFamily", value: "linux" }] };

test("given a salt, then servers of every level get it as it is, also in an Action that is rewritten for another reason", () => {
  const salt = Buffer.from("namespace");
  for (const level of LEVELS) {
    const given = messages({ salt, platform: PLATFORM });
    const { action } = transformed(plan(client(), server({ level })), given);
    assert.deepEqual(readAction(action).salt, salt, level);
  }
  const actionReader = server({ forms: { "action-platform": { reads: ["action"] } } });
  const rewritten = transformed(plan(client(), actionReader), messages({ salt }, { platform: PLATFORM }));
  assert.deepEqual(rewritten.action, messages({ salt, platform: PLATFORM }).action);
});

test("nothing is refused over it, in either direction", () => {
  for (const level of LEVELS) {
    for (const pair of [plan(client(), server({ level })), plan(client({ level }), server())]) {
      const verdicts = pair.decisions
        .filter(({ feature }) => feature === "salt")
        .map(({ verdict }) => verdict);
      assert.ok(
        verdicts.every((verdict) => verdict === "native" || verdict === "pass"),
        level,
      );
    }
  }
});
