import { StartError } from "../config/start-error.ts";
import type { ReachableConfig } from "../config/types.ts";
import { Budget } from "../http2/budget.ts";
import { makeField } from "../http2/hpack/field.ts";
import { internName } from "../http2/hpack/name.ts";
import type { Readiness } from "../observe/admin.ts";
import type { Log } from "../observe/log.ts";
import { Metrics } from "../observe/metrics.ts";
import type { ApiVersion } from "../peers/advertised.ts";
import { Status } from "../wire/status.ts";
import { LOOP_MESSAGE } from "./client-session.ts";
import { Core } from "./core.ts";
import { CallError } from "./messages/call-error.ts";
import { OwnCall } from "./messages/own-call.ts";
import { readable } from "./routing/find-out.ts";
import { FixedRouter } from "./routing/route.ts";
import { UpstreamLink } from "./upstream-link.ts";
import type { UpstreamTarget } from "./upstream-target.ts";

/** How long the upstream may take to answer, in milliseconds; the bridge starts without an answer, too. */
const PATIENCE = 2_000;
const GET_CAPABILITIES = "/build.bazel.remote.execution.v2.Capabilities/GetCapabilities";
const PROBE = internName("reapi-bridge-probe");

/**
 * Calls an upstream once, with an id that only this bridge knows: if the call comes back to the bridge, the upstream leads to it. Returns
 * what is known of the upstream. Throws a `StartError` of kind `upstream` for such a circle.
 */
export async function greetUpstream(
  upstream: UpstreamTarget,
  config: ReachableConfig,
  log: Log,
  probeId: string,
): Promise<Readiness> {
  const core = new Core({
    config,
    log,
    router: new FixedRouter(upstream, new Map()),
    probeId,
    metrics: new Metrics(),
    budget: new Budget(config.limits.bufferBudgetBytes),
  });
  const link = new UpstreamLink(core, upstream);
  try {
    const call = new OwnCall(core, link, GET_CAPABILITIES, {
      metadata: [makeField(PROBE, probeId)],
      deadline: performance.now() + PATIENCE,
      cancelled: new AbortController().signal,
    });
    await call.write([]);
    await call.end();
    for await (const message of call.messages()) {
      return { ok: true, reason: `the upstream ${upstream.display} answers ${describe(message)}` };
    }
    return { ok: true, reason: `the upstream ${upstream.display} answers` };
  } catch (error) {
    return judge(error, upstream.display);
  } finally {
    link.close();
  }
}

function describe(capabilities: Buffer): string {
  const advertised = readable(capabilities);
  if (advertised === null) return "GetCapabilities, with bytes that are no answer";
  const { low, high, executes } = advertised;
  const version = (v: ApiVersion): string => `${v.major}.${v.minor}`;
  const versions = low && high ? `API ${version(low)} to ${version(high)}` : "no API version";
  return `with ${versions}${executes ? ", cache and execution" : ", cache only"}`;
}

function judge(error: unknown, display: string): Readiness {
  if (!(error instanceof CallError)) throw error;
  if (error.code === Status.FAILED_PRECONDITION && error.message === LOOP_MESSAGE) {
    throw new StartError(
      "upstream",
      `the upstream ${display} leads back to this bridge: calls would go in a circle. Give --upstream the server's own address`,
    );
  }
  if (error.code === Status.UNAVAILABLE) return { ok: false, reason: error.message };
  if (error.code === Status.DEADLINE_EXCEEDED)
    return { ok: false, reason: `the upstream ${display} did not answer within ${PATIENCE} ms` };
  // It speaks gRPC; that this call needs credentials, or is not known, does not matter.
  return { ok: true, reason: `the upstream ${display} answers (GetCapabilities: ${error.message})` };
}
