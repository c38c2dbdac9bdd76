import assert from "node:assert/strict";
import { test } from "node:test";
import { codec } from "../../../src/spec/codec.ts";
import { knows, ledgerEntry } from "../../../src/spec/ledger.ts";
import { allMethods, methodAt } from "../../../src/spec/methods.ts";

test("every method is in the ledger and its messages are in the codec", () => {
  const methods = [...allMethods()];
  assert.equal(methods.length, 24);
  for (const method of methods) {
    assert.equal(ledgerEntry(method.element).kind, "method");
    assert.equal(codec().encode(method.request, {}).length, 0);
    assert.equal(codec().encode(method.response, {}).length, 0);
    assert.equal(methodAt(method.path), method);
  }
});

test("shapes are those of the services", () => {
  const shape = (path: string): string => {
    const method = methodAt(path);
    assert.ok(method, path);
    return `${method.clientStreaming ? "stream" : "one"} → ${method.serverStreaming ? "stream" : "one"}`;
  };
  assert.equal(shape("/google.bytestream.ByteStream/Write"), "stream → one");
  assert.equal(shape("/google.bytestream.ByteStream/Read"), "one → stream");
  assert.equal(shape("/build.bazel.remote.execution.v2.Execution/Execute"), "one → stream");
  assert.equal(shape("/build.bazel.remote.execution.v2.ContentAddressableStorage/GetTree"), "one → stream");
  assert.equal(shape("/build.bazel.remote.execution.v2.ActionCache/GetActionResult"), "one → one");
});

test("a method knows its types and, through the ledger, its levels", () => {
  const split = methodAt("/build.bazel.remote.execution.v2.ContentAddressableStorage/SplitBlob");
  assert.ok(split);
  assert.equal(split.request, "build.bazel.remote.execution.v2.SplitBlobRequest");
  assert.equal(knows("2.11", split.element), false);
  assert.equal(knows("2.12", split.element), true);
});

test("an unknown path is no method", () => {
  assert.equal(methodAt("/buildstream.v2.ReferenceStorage/GetReference"), undefined);
  assert.equal(methodAt("build.bazel.remote.execution.v2.Execution/Execute"), undefined);
});
