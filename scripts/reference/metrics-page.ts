import { DURATION_BOUNDS } from "../../src/observe/call-table.ts";
import { Metrics } from "../../src/observe/metrics.ts";
import { renderMetrics } from "../../src/observe/prometheus.ts";
import { table } from "./markdown.ts";

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labels: readonly string[];
}

/** Every family of the `/metrics` page, read from a page with one call on it. */
function families(): Family[] {
  const metrics = new Metrics();
  metrics.callEnded("/package.Service/Method", "relay", 0, 0.001);
  const text = renderMetrics(metrics.snapshot());
  return text
    .split("# HELP ")
    .slice(1)
    .map((block) => {
      const [, name, help, type] = /^(\S+) (.*)\n# TYPE \S+ (\S+)\n/.exec(block)!;
      const labels = [...block.matchAll(/(?<=[{,])(\w+)(?==")/g)].map(([label]) => label);
      return { name: name!, help: help!, type: type!, labels: [...new Set(labels)] };
    });
}

const LABELS: readonly (readonly [string, string])[] = [
  [
    "`method`",
    "the path of the call, `/package.Service/Method`; `http` for plain HTTP. Callers cannot fill the memory with names: 64 are taken as they come, up to 256 if a call of theirs succeeds; the rest are `other`",
  ],
  [
    "`lane`",
    "how the call travelled: `relay` (bytes passed on), `translate` (messages opened and changed), `local` (answered by the bridge), `reject` (refused by the bridge before anything was sent upstream), `side` (plain HTTP)",
  ],
  [
    "`code`",
    "how it ended: the name of the gRPC status, `OK` … `UNAUTHENTICATED`; what is no gRPC status counts as `UNKNOWN`",
  ],
  ["`side`", "`client` for connections from callers, `upstream` for those to the server behind the bridge"],
  ["`direction`", "`in` for received by the bridge, `out` for sent by it; TLS and TCP are not counted"],
  [
    "`what`",
    "`unchanged` and `rewritten`: executions whose action was looked at, and whether another ran in its place; `found`: look-ups that hit the result of such another; `stored`: blobs that the bridge made and the server lacked; `repeated`: executions begun again as the server had lost those; `dropped`: results of a client before Bazel 6 that a read-only cache did not take",
  ],
  ["`le`", `upper bound of a histogram's bucket in seconds: ${DURATION_BOUNDS.join(", ")}, +Inf`],
];

/** The text of `docs/metrics.md`. */
export function metricsPage(): string {
  return `\
<!-- Written by scripts/generate-reference.ts from what /metrics shows: change that. -->

# Metrics

\`http://ADMIN/metrics\` (see \`--admin\`) shows these in the Prometheus text format, those of all worker threads added up. Names,
labels and meanings are part of the interface: they gain companions but do not change. Counters start at 0 with the process.

${table(
  ["name", "type", "labels", "what it is"],
  families().map(({ name, type, labels, help }) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(" "),
    help,
  ]),
)}\
## Labels

${table(["label", "values"], LABELS)}\
## What to watch

- **Calls that fail:** \`sum by (method, code) (rate(reapi_bridge_calls_total{code!="OK"}[5m]))\`. \`NOT_FOUND\` of
  \`GetActionResult\` is an ordinary cache miss.
- **Calls the bridge itself ended:** \`rate(reapi_bridge_refused_total[5m])\`. Each has a line in the log; [errors.md](errors.md)
  explains the messages.
- **The way to the server:** \`rate(reapi_bridge_connect_failures_total[5m])\` is 0 in good times. \`reapi_bridge_queued_calls\` above 0
  for long means that the server allows fewer concurrent streams than its callers need.
- **Actions that are rewritten:** \`rate(reapi_bridge_actions_total{what="rewritten"}[5m])\`. Each costs a question to the server, and at first reading the
  action; \`unchanged\` ones cost the reading only. \`repeated\` above 0 for long means that the server loses blobs soon after they were stored.
- **Memory:** \`reapi_bridge_budget_held_bytes / reapi_bridge_budget_limit_bytes\` near 1 means that slow readers hold all the bridge
  may buffer; everybody gets slower then. See \`--buffer-budget\`.
- **Hostile or broken peers:** \`reapi_bridge_floods_total\` and \`reapi_bridge_protocol_errors_total\`, by side.
`;
}
