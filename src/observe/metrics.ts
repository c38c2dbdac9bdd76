import type { CallSeries, Lane } from "./call-table.ts";
import { CallTable } from "./call-table.ts";

/** What happens on one side of the bridge, towards clients or towards the upstream. Hot paths add to the fields directly. */
export interface SideCounters {
  /** Bytes received from the sockets of this side. */
  in: number;
  /** Bytes written to the sockets of this side. */
  out: number;
  /** Connections open now. */
  connections: number;
  /** Connections opened since the start. */
  connectionsTotal: number;
  /** Streams (calls) open now. */
  streams: number;
  /** Streams opened since the start. */
  streamsTotal: number;
  /** Streams that ended in a reset, whoever sent it. */
  resetsTotal: number;
  /** Connections ended because the peer broke the protocol. */
  protocolErrorsTotal: number;
  /** Connections ended because the peer flooded the bridge with frames that move no data. */
  floodsTotal: number;
}

function sideCounters(): SideCounters {
  return {
    in: 0,
    out: 0,
    connections: 0,
    connectionsTotal: 0,
    streams: 0,
    streamsTotal: 0,
    resetsTotal: 0,
    protocolErrorsTotal: 0,
    floodsTotal: 0,
  };
}

/** The counters that belong to neither side. */
export interface BridgeCounters {
  /** Calls that the bridge itself ended with an error instead of passing them on. */
  refusedTotal: number;
  /** Calls that wait for a stream of the upstream now. */
  queued: number;
  /** Attempts to connect to the upstream that failed. */
  connectFailuresTotal: number;
  /** Bytes held, and window credit granted, against the budget now. */
  budgetHeld: number;
  /** The budget in bytes. */
  budgetLimit: number;
}

/** What the bridge does about actions: each is a value of the label `what`. */
export interface ActionCounters {
  /** Executions of the client's own action, which was looked at. */
  unchanged: number;
  /** Executions of another action in place of the client's. */
  rewritten: number;
  /** Look-ups that found the result of another action. */
  found: number;
  /** Blobs made by the bridge that had to be stored. */
  stored: number;
  /** Executions begun again, as the upstream had lost what the bridge made. */
  repeated: number;
  /** Results that a client wrote to a cache that takes none, and that it was told are written (D52). */
  dropped: number;
}

/** The counts of one moment, as plain data that can cross threads. */
export interface MetricsSnapshot {
  readonly client: Readonly<SideCounters>;
  readonly upstream: Readonly<SideCounters>;
  readonly bridge: Readonly<BridgeCounters>;
  readonly actions: Readonly<ActionCounters>;
  readonly calls: readonly CallSeries[];
}

/** What one thread of the bridge counts: plain numbers, made into text only when somebody asks. */
export class Metrics {
  readonly client: SideCounters = sideCounters();
  readonly upstream: SideCounters = sideCounters();
  readonly bridge: BridgeCounters = {
    refusedTotal: 0,
    queued: 0,
    connectFailuresTotal: 0,
    budgetHeld: 0,
    budgetLimit: 0,
  };
  readonly actions: ActionCounters = {
    unchanged: 0,
    rewritten: 0,
    found: 0,
    stored: 0,
    repeated: 0,
    dropped: 0,
  };
  private readonly calls = new CallTable();

  /**
   * Counts a call that has ended. `method` is the path (`/package.Service/Method`), `code` the gRPC status (or 2 for one that is
   * no gRPC status), `seconds` the time from its first to its last byte. At most some hundreds of methods have a name of
   * their own; what comes later counts as `other`.
   */
  callEnded(method: string, lane: Lane, code: number, seconds: number): void {
    this.calls.add(method, lane, code, seconds);
  }

  /** A copy of all counts. */
  snapshot(): MetricsSnapshot {
    return {
      client: { ...this.client },
      upstream: { ...this.upstream },
      bridge: { ...this.bridge },
      actions: { ...this.actions },
      calls: this.calls.snapshot(),
    };
  }
}

function sum<T extends object>(parts: readonly T[]): T {
  const total: Record<string, number> = {};
  for (const part of parts) {
    for (const [name, value] of Object.entries(part)) total[name] = (total[name] ?? 0) + (value as number);
  }
  return total as T;
}

/** The counts of several threads as one. `snapshots` holds at least one. */
export function merge(snapshots: readonly MetricsSnapshot[]): MetricsSnapshot {
  return {
    client: sum(snapshots.map((s) => s.client)),
    upstream: sum(snapshots.map((s) => s.upstream)),
    bridge: sum(snapshots.map((s) => s.bridge)),
    actions: sum(snapshots.map((s) => s.actions)),
    calls: CallTable.merge(snapshots.map((s) => s.calls)),
  };
}
