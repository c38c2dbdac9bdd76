import assert from "node:assert/strict";
import { test } from "node:test";
import { Metrics, merge } from "../../../src/observe/metrics.ts";
import { renderMetrics } from "../../../src/observe/prometheus.ts";

/** The samples of the text: name with labels → value. */
function samples(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

const METHOD = "/build.bazel.remote.execution.v2.ActionCache/GetActionResult";

test("calls are counted by method, lane and status, with their durations", () => {
  const metrics = new Metrics();
  metrics.callEnded(METHOD, "relay", 0, 0.0004);
  metrics.callEnded(METHOD, "relay", 5, 0.003);
  metrics.callEnded(METHOD, "relay", 5, 7200);
  metrics.callEnded(METHOD, "reject", 12, 0.001);
  const values = samples(renderMetrics(metrics.snapshot()));
  const relayed = `method="${METHOD}",lane="relay"`;
  assert.equal(values.get(`reapi_bridge_calls_total{${relayed},code="OK"}`), 1);
  assert.equal(values.get(`reapi_bridge_calls_total{${relayed},code="NOT_FOUND"}`), 2);
  assert.equal(
    values.get(`reapi_bridge_calls_total{method="${METHOD}",lane="reject",code="UNIMPLEMENTED"}`),
    1,
  );
  const bucket = (le: string) =>
    values.get(`reapi_bridge_call_duration_seconds_bucket{${relayed},le="${le}"}`);
  assert.deepEqual(["0.0005", "0.0025", "0.005", "3600", "+Inf"].map(bucket), [1, 1, 2, 2, 3]);
  assert.equal(values.get(`reapi_bridge_call_duration_seconds_count{${relayed}}`), 3);
  assert.equal(values.get(`reapi_bridge_call_duration_seconds_sum{${relayed}}`), 7200.0034);
});

test("a status that gRPC does not know counts as UNKNOWN", () => {
  const metrics = new Metrics();
  metrics.callEnded("/s/M", "relay", 17, 0);
  metrics.callEnded("/s/M", "relay", -1, 0);
  assert.equal(metrics.snapshot().calls[0]?.codes[2], 2);
});

test("callers cannot invent methods without end: late or long names count as other", () => {
  const metrics = new Metrics();
  for (let i = 0; i < 5000; i++) metrics.callEnded(`/junk/${i}`, "relay", 12, 0);
  metrics.callEnded(METHOD, "relay", 0, 0);
  for (let i = 0; i < 5000; i++) metrics.callEnded(`/works/${i}`, "relay", 0, 0);
  metrics.callEnded(`/${"x".repeat(1000)}`, "relay", 0, 0);
  const { calls } = metrics.snapshot();
  assert.equal(calls.length, 257);
  assert.ok(calls.some((series) => series.method === METHOD));
  const total = calls.reduce((sum, series) => sum + series.codes.reduce((a, b) => a + b), 0);
  assert.equal(total, 10_002);
  assert.equal(calls.at(-1)?.method, "other");
});

test("threads are added up, and the snapshot crosses between them", () => {
  const [one, two] = [new Metrics(), new Metrics()];
  one.client.in += 10;
  two.client.in += 5;
  one.bridge.budgetHeld += 7;
  two.bridge.budgetHeld += 1;
  one.callEnded("/s/M", "relay", 0, 1);
  two.callEnded("/s/M", "relay", 0, 2);
  two.callEnded("/s/M", "local", 0, 3);
  const sum = merge([structuredClone(one.snapshot()), structuredClone(two.snapshot())]);
  assert.equal(sum.client.in, 15);
  assert.equal(sum.bridge.budgetHeld, 8);
  assert.deepEqual(
    sum.calls.map(({ lane, codes, seconds }) => [lane, codes[0], seconds]),
    [
      ["relay", 2, 3],
      ["local", 1, 3],
    ],
  );
});

test("a snapshot is of one moment", () => {
  const metrics = new Metrics();
  metrics.callEnded("/s/M", "relay", 0, 1);
  const before = metrics.snapshot();
  metrics.upstream.connections++;
  metrics.callEnded("/s/M", "relay", 0, 1);
  assert.equal(before.upstream.connections, 0);
  assert.equal(before.calls[0]?.codes[0], 1);
});

test("method names are escaped as the format wants", () => {
  const metrics = new Metrics();
  metrics.callEnded('/a"b\\c\nd', "relay", 0, 0);
  assert.match(renderMetrics(metrics.snapshot()), /method="\/a\\"b\\\\c\\nd"/);
});

// Dashboards are built on these names.
test("the names of all metrics", () => {
  const text = renderMetrics(new Metrics().snapshot());
  const families = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => `${name} ${kind}`);
  assert.deepEqual(families, [
    "reapi_bridge_build_info gauge",
    "reapi_bridge_calls_total counter",
    "reapi_bridge_call_duration_seconds histogram",
    "reapi_bridge_bytes_total counter",
    "reapi_bridge_open_connections gauge",
    "reapi_bridge_connections_total counter",
    "reapi_bridge_open_streams gauge",
    "reapi_bridge_streams_total counter",
    "reapi_bridge_stream_resets_total counter",
    "reapi_bridge_protocol_errors_total counter",
    "reapi_bridge_floods_total counter",
    "reapi_bridge_refused_total counter",
    "reapi_bridge_queued_calls gauge",
    "reapi_bridge_connect_failures_total counter",
    "reapi_bridge_budget_held_bytes gauge",
    "reapi_bridge_budget_limit_bytes gauge",
    "reapi_bridge_actions_total counter",
    "process_cpu_seconds_total counter",
    "process_resident_memory_bytes gauge",
    "process_start_time_seconds gauge",
  ]);
});
