import { VERSION } from "../config/version.ts";
import { DURATION_BOUNDS } from "./call-table.ts";
import type { BridgeCounters, MetricsSnapshot, SideCounters } from "./metrics.ts";

/** Names of the gRPC status codes by number. */
const CODE_NAMES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

type Kind = "counter" | "gauge";

// Operators build dashboards and alerts on these names: they may gain companions but do not change.
const SIDE_METRICS: readonly [name: string, key: keyof SideCounters, kind: Kind, help: string][] = [
  ["open_connections", "connections", "gauge", "Connections open now."],
  ["connections_total", "connectionsTotal", "counter", "Connections opened."],
  ["open_streams", "streams", "gauge", "Streams (calls) open now."],
  ["streams_total", "streamsTotal", "counter", "Streams (calls) opened."],
  ["stream_resets_total", "resetsTotal", "counter", "Streams that ended in a reset, whoever sent it."],
  ["protocol_errors_total", "protocolErrorsTotal", "counter", "Connections ended for a breach of HTTP/2."],
  ["floods_total", "floodsTotal", "counter", "Connections ended for a flood of frames without data."],
];

const BRIDGE_METRICS: readonly [name: string, key: keyof BridgeCounters, kind: Kind, help: string][] = [
  ["refused_total", "refusedTotal", "counter", "Calls ended with an error by the bridge itself."],
  ["queued_calls", "queued", "gauge", "Calls waiting for a stream of the upstream now."],
  ["connect_failures_total", "connectFailuresTotal", "counter", "Failed attempts to reach the upstream."],
  ["budget_held_bytes", "budgetHeld", "gauge", "Bytes held and window credit granted now."],
  ["budget_limit_bytes", "budgetLimit", "gauge", "The bound on budget_held_bytes."],
];

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number, suffix?: string];

function escapeLabel(value: string): string {
  return value.replace(/[\\"\n]/g, (c) => (c === "\n" ? "\\n" : `\\${c}`));
}

function family(name: string, kind: string, help: string, samples: Iterable<Sample>): string {
  let text = `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`;
  for (const [labels, value, suffix] of samples) {
    const pairs = Object.entries(labels).map(([label, v]) => `${label}="${escapeLabel(v)}"`);
    text += `${name}${suffix ?? ""}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}\n`;
  }
  return text;
}

function* callCounts(snapshot: MetricsSnapshot): Generator<Sample> {
  for (const { method, lane, codes } of snapshot.calls) {
    for (const [code, count] of codes.entries()) {
      if (count > 0) yield [{ method, lane, code: CODE_NAMES[code] ?? String(code) }, count];
    }
  }
}

function* callDurations(snapshot: MetricsSnapshot): Generator<Sample> {
  for (const { method, lane, buckets, seconds } of snapshot.calls) {
    let count = 0;
    for (const [i, calls] of buckets.entries()) {
      count += calls;
      yield [{ method, lane, le: String(DURATION_BOUNDS[i] ?? "+Inf") }, count, "_bucket"];
    }
    yield [{ method, lane }, seconds, "_sum"];
    yield [{ method, lane }, count, "_count"];
  }
}

function processMetrics(): string {
  const cpu = process.cpuUsage();
  const started = Date.now() / 1000 - process.uptime();
  return (
    family("process_cpu_seconds_total", "counter", "CPU time of the whole process.", [
      [{}, (cpu.user + cpu.system) / 1e6],
    ]) +
    family("process_resident_memory_bytes", "gauge", "Memory of the whole process.", [
      [{}, process.memoryUsage.rss()],
    ]) +
    family("process_start_time_seconds", "gauge", "When the process started, in Unix time.", [[{}, started]])
  );
}

/** The counts as text in the Prometheus exposition format 0.0.4, with CPU time and memory of the process. */
export function renderMetrics(snapshot: MetricsSnapshot): string {
  const { client, upstream, bridge, actions } = snapshot;
  const parts = [
    family("reapi_bridge_build_info", "gauge", "Always 1; its labels say what runs.", [
      [{ version: VERSION, node: process.version }, 1],
    ]),
    family("reapi_bridge_calls_total", "counter", "Calls that have ended.", callCounts(snapshot)),
    family(
      "reapi_bridge_call_duration_seconds",
      "histogram",
      "Time from the first to the last byte of a call.",
      callDurations(snapshot),
    ),
    family("reapi_bridge_bytes_total", "counter", "Bytes over the sockets of each side.", [
      [{ side: "client", direction: "in" }, client.in],
      [{ side: "client", direction: "out" }, client.out],
      [{ side: "upstream", direction: "in" }, upstream.in],
      [{ side: "upstream", direction: "out" }, upstream.out],
    ]),
  ];
  for (const [name, key, kind, help] of SIDE_METRICS) {
    const samples: Sample[] = [
      [{ side: "client" }, client[key]],
      [{ side: "upstream" }, upstream[key]],
    ];
    parts.push(family(`reapi_bridge_${name}`, kind, help, samples));
  }
  for (const [name, key, kind, help] of BRIDGE_METRICS) {
    parts.push(family(`reapi_bridge_${name}`, kind, help, [[{}, bridge[key]]]));
  }
  const done = Object.entries(actions).map(([what, count]): Sample => [{ what }, count]);
  parts.push(
    family(
      "reapi_bridge_actions_total",
      "counter",
      "What the bridge did about actions and their results.",
      done,
    ),
  );
  return parts.join("") + processMetrics();
}
