import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Plan } from "../../../src/plan/plan.ts";
import { clientBefore, serverDialect } from "../../support/known-peers.ts";
import { commandOf, foundBy, messages, readCommand, refused } from "../actions.ts";
import { client, plan, server, transformed } from "../support.ts";

const fromRoot = { forms: { argv0: { reads: ["input-root"], writes: ["input-root"] } } };
const oldServer = plan(client(), server(fromRoot));
const oldClient = plan(client(fromRoot), server());
const required = plan(client(fromRoot), server(), { argv0: "require" });

/** The arguments as the upstream gets them; null where the Command is the very buffer. */
function upstreamArguments(
  pair: Plan,
  args: readonly string[],
  workingDirectory = "",
  platform: Record<string, string> = {},
): readonly string[] | null {
  const properties = Object.entries(platform).map(([name, value]) => ({ name, value }));
  const given = messages({}, { arguments: args, workingDirectory, platform: { properties } });
  const { command } = transformed(pair, given);
  return command === given.command ? null : readCommand(command).arguments;
}

test("given nothing known of either side, then programs are what they are, whatever the levels", () => {
  for (const level of ["2018-11", "2.0", "2.12"] as const) {
    const { decisions } = plan(client({ level: "2.12" }), server({ level }));
    assert.ok(
      decisions.every(({ feature, verdict }) => feature !== "argv0" || verdict === "native"),
      level,
    );
  }
});

test("given a server that looks in the input root, then a path is written as it is from there", () => {
  assert.deepEqual(upstreamArguments(oldServer, ["bin/gcc", "-c"], "w"), ["w/bin/gcc", "-c"]);
  assert.deepEqual(upstreamArguments(oldServer, ["../bin/gcc"], "w/x"), ["w/bin/gcc"]);
  assert.deepEqual(upstreamArguments(oldServer, ["./../gcc"], "w"), ["./gcc"]);
});

test("what both rules find in one place is the very buffer", () => {
  for (const pair of [oldServer, oldClient, required]) {
    assert.equal(upstreamArguments(pair, ["bin/gcc"]), null);
    assert.equal(upstreamArguments(pair, ["./gcc"], ""), null);
    assert.equal(upstreamArguments(pair, ["/bin/gcc"], "w"), null);
    assert.equal(upstreamArguments(pair, ["C:\\bin\\cl.exe"], "w"), null);
    assert.equal(upstreamArguments(pair, []), null);
  }
});

test("a bare name is looked up by /usr/bin/env, in the command's own PATH", () => {
  assert.deepEqual(upstreamArguments(oldServer, ["gcc", "a=b", "-c"]), ["/usr/bin/env", "gcc", "a=b", "-c"]);
  assert.deepEqual(upstreamArguments(oldServer, ["gcc"], "w", { OSFamily: "linux" }), [
    "/usr/bin/env",
    "gcc",
  ]);
});

test("names that /usr/bin/env would take for something else, or that no such program can look up, are refused", () => {
  const properties = [{ name: "OSFamily", value: "Windows" }];
  for (const given of [
    messages({}, { arguments: ["a=b"] }),
    messages({}, { arguments: ["-i"] }),
    messages({ platform: { properties } }, { arguments: ["cl.exe"] }),
    messages({}, { arguments: ["bin\\cl.exe"], platform: { properties } }),
  ]) {
    const { facts } = refused(oldServer, given);
    assert.deepEqual(
      [facts.code, facts.feature, facts.drift, facts.field],
      ["action-unsupported", "argv0", "D39", "arguments[0]"],
    );
  }
});

test("a program outside of the input root is refused, with its path", () => {
  const given = messages({}, { arguments: ["../../gcc"], workingDirectory: "w" });
  assert.match(
    refused(oldServer, given).message,
    /^The program "\.\.\/\.\.\/gcc", outside of the input root, was used/,
  );
  const outside = messages({}, { arguments: ["../gcc"], workingDirectory: "w" });
  assert.equal(refused(required, outside).facts.code, "action-unsupported");
});

test("given a client that means the input root, then what another program would run is refused", () => {
  const refusal = ["action-unsupported argv0"];
  assert.deepEqual(foundBy(oldClient, messages({}, { arguments: ["gcc"] })), refusal);
  const inDirectory = { arguments: ["bin/gcc"], workingDirectory: "w" };
  assert.deepEqual(foundBy(oldClient, messages({}, inDirectory)), refusal);
  assert.deepEqual(foundBy(oldClient, messages({}, { arguments: ["bin/gcc"] })), []);
  assert.deepEqual(foundBy(oldClient, messages({}, { arguments: ["/gcc"], workingDirectory: "w" })), []);
  assert.deepEqual(foundBy(required, messages({}, inDirectory)), []);
});

test("the refusal says how to have it translated", () => {
  const [check] = oldClient.checks.filter((one) => one.refusal().facts.feature === "argv0");
  assert.match(check!.refusal().message, /require argv0 in the policy/);
});

test("where the policy requires it, the path is written as it is from the working directory", () => {
  assert.deepEqual(upstreamArguments(required, ["bin/tool", "-v"], "w"), ["../bin/tool", "-v"]);
  assert.deepEqual(upstreamArguments(required, ["w/bin/tool"], "w"), ["./bin/tool".slice(2)]);
  assert.deepEqual(upstreamArguments(required, ["w/tool"], "w"), ["./tool"]);
  assert.deepEqual(upstreamArguments(required, ["tool"]), ["./tool"]);
  assert.deepEqual(upstreamArguments(required, ["tool"], "a/b"), ["../../tool"]);
});

test("with the policy off nothing is done", () => {
  const off = plan(client(fromRoot), server(), { argv0: "off" });
  assert.equal(upstreamArguments(off, ["tool"], "w"), null);
  assert.deepEqual(foundBy(off, messages({}, { arguments: ["tool"] })), []);
});

test("other fields stay, in the order of their numbers", () => {
  const given = commandOf({ arguments: ["a/b"], workingDirectory: "w", outputPaths: ["o"] });
  const unknown = Buffer.from("9a0603616263", "hex");
  const { command } = transformed(oldServer, {
    action: Buffer.alloc(0),
    command: Buffer.concat([given, unknown]),
  });
  const expected = commandOf({ arguments: ["w/a/b"], workingDirectory: "w", outputPaths: ["o"] });
  assert.deepEqual(command, Buffer.concat([expected, unknown]));
});

test("Bazel at Buildbarn 2019, whose runner took programs from the working directory: nothing to do", () => {
  const barn = serverDialect("buildbarn@2019");
  const { decisions } = plan(clientBefore("bazel@4", barn), barn);
  const rows = decisions.filter(({ feature }) => feature === "argv0");
  assert.deepEqual(
    rows.map(({ verdict }) => verdict),
    ["native", "native"],
  );
});

test("a path that goes to the input root and back names the same file", () => {
  const segment = fc.constantFrom("a", "b", "..", ".");
  const path = fc.array(segment, { minLength: 2, maxLength: 5 }).map((parts) => parts.join("/"));
  const directory = fc.array(fc.constantFrom("a", "b"), { maxLength: 3 }).map((parts) => parts.join("/"));
  fc.assert(
    fc.property(path, directory, (program, workingDirectory) => {
      const resolve = (base: string, name: string) =>
        new URL(name, `file:///root/${base === "" ? "" : `${base}/`}`).href;
      const meant = resolve(workingDirectory, program);
      if (!meant.startsWith("file:///root/")) return;
      const there = upstreamArguments(oldServer, [program], workingDirectory)?.[0] ?? program;
      assert.equal(resolve("", there).replace(/\/$/, ""), meant.replace(/\/$/, ""));
      const back = upstreamArguments(required, [there], workingDirectory)?.[0] ?? there;
      assert.equal(resolve(workingDirectory, back).replace(/\/$/, ""), meant.replace(/\/$/, ""));
    }),
  );
});
