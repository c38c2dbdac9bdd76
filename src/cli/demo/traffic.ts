/** What went through the bridge between two moments. */
import type { MetricsSnapshot } from "../../observe/metrics.ts";

/** Counts of one stretch of time. */
export interface Traffic {
  /** Finished calls by `Service.Method`. */
  readonly calls: ReadonlyMap<string, number>;
  /** Bytes from the client and to it, on the wire. */
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** What `after` has more than `before`. */
export function trafficBetween(before: MetricsSnapshot, after: MetricsSnapshot): Traffic {
  const earlier = callsOf(before);
  const calls = [...callsOf(after)].map(
    ([method, count]) => [method, count - (earlier.get(method) ?? 0)] as const,
  );
  return {
    calls: new Map(calls.filter(([, count]) => count > 0)),
    bytesUp: after.client.in - before.client.in,
    bytesDown: after.client.out - before.client.out,
  };
}

function callsOf(snapshot: MetricsSnapshot): Map<string, number> {
  const calls = new Map<string, number>();
  for (const { method, codes } of snapshot.calls) {
    const name = method.slice(method.lastIndexOf(".") + 1).replace("/", ".");
    const count = codes.reduce((sum, each) => sum + each, 0);
    if (count > 0) calls.set(name, (calls.get(name) ?? 0) + count);
  }
  return calls;
}
