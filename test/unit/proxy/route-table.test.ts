import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Named,
  NO_INSTANCE,
  RouteTable,
  renamed,
  serviceOf,
} from "../../../src/proxy/routing/route-table.ts";

interface Draft {
  readonly peer: string;
  readonly services?: readonly string[];
  readonly instance?: string;
  readonly rename?: string | null;
}

function rule({ peer, services, instance = "", rename = null }: Draft) {
  return { peer, upstream: peer, services: services ?? null, instance, rename };
}

function table(...drafts: readonly Draft[]): RouteTable<string> {
  return new RouteTable(drafts.map(rule));
}

const find = (of: RouteTable<string>, service: string, instance: Named) =>
  of.find(service, instance)?.peer ?? null;

test("the first rule that takes service and instance counts", () => {
  const routes = table(
    { peer: "a", services: ["Run"], instance: "team" },
    { peer: "b", services: ["Run", "Keep"] },
    { peer: "c", instance: "team/x" },
    { peer: "d" },
  );
  assert.equal(find(routes, "Run", "team/x"), "a");
  assert.equal(find(routes, "Run", "teams"), "b");
  assert.equal(find(routes, "Keep", "team/x"), "b");
  assert.equal(find(routes, "Look", "team/x/y"), "c");
  assert.equal(find(routes, "Look", "team"), "d");
  assert.deepEqual([routes.single, routes.tellsInstances], [false, true]);
});

test("an instance is wanted only where it decides", () => {
  const routes = table({ peer: "a", services: ["Run"] }, { peer: "b", instance: "team" }, { peer: "c" });
  assert.equal(find(routes, "Run", null), "a");
  assert.equal(find(routes, "Look", null), null);
  assert.equal(find(routes, "Look", ""), "c");
});

test("what names no instance goes where the first rule of its service leads", () => {
  const routes = table({ peer: "a", instance: "team" }, { peer: "b" });
  assert.equal(find(routes, "Look", NO_INSTANCE), "a");
});

test("several ways to one upstream are a single one", () => {
  const routes = table({ peer: "a", services: ["Run"] }, { peer: "a" });
  assert.deepEqual([routes.single, routes.tellsInstances], [true, false]);
});

test("any number of services that do not exist is routed", () => {
  const routes = table({ peer: "a", services: ["Run"] }, { peer: "b" });
  for (let i = 0; i < 3_000; i++) assert.equal(find(routes, `no.Service${i}`, null), "b");
  assert.equal(find(routes, "Run", null), "a");
});

test("whole segments are renamed, and the rest stays", () => {
  const to = (instance: string, rename: string | null, name: string) =>
    renamed(rule({ peer: "", instance, rename }), name);
  assert.equal(to("team", null, "team/x"), "team/x");
  assert.equal(to("team", "main", "team"), "main");
  assert.equal(to("team", "main", "team/x/y"), "main/x/y");
  assert.equal(to("team", "", "team/x"), "x");
  assert.equal(to("team", "", "team"), "");
  assert.equal(to("", "main", "x"), "main/x");
  assert.equal(to("", "main", ""), "main");
});

test("the service is all but the method", () => {
  assert.equal(serviceOf("/a.b.Service/Method"), "a.b.Service");
});

test("executors are the upstreams that executions go to, each by its first rule", () => {
  const execution = "build.bazel.remote.execution.v2.Execution";
  const routes = table(
    { peer: "a", services: ["Keep"] },
    { peer: "b", services: [execution], instance: "team" },
    { peer: "c", instance: "other" },
    { peer: "b" },
  );
  const executors = [...routes.executors].map(([name, { instance }]) => [name, instance]);
  assert.deepEqual(executors.sort(), [
    ["b", "team"],
    ["c", "other"],
  ]);
});
