/** The figures to reach. */

/** Most that a figure of the bridge may be, as a multiple of a peer's or in MiB. */
type Limit =
  | { readonly peer: string; readonly ratio: number }
  | { readonly peer: null; readonly mebibytes: number };

/** One figure: which load, what of it, for which build of the bridge, and what it may be at most. */
export interface Goal {
  readonly load: string;
  readonly measure: "cpu" | "p50" | "memory";
  readonly target: "bridge" | "documented" | "scanning";
  readonly limit: Limit;
}

function cpu(load: string, peer: string, ratio: number, target: Goal["target"] = "bridge"): Goal {
  return { load, measure: "cpu", target, limit: { peer, ratio } };
}

/** Every figure, in the order of the report. */
export const GOALS: readonly Goal[] = [
  cpu("unary-100", "nghttpx", 0.6),
  cpu("unary-100", "nginx", 0.2),
  cpu("unary-100-varying", "nghttpx", 0.6),
  cpu("unary-1", "nghttpx", 1.15),
  cpu("find-1000", "bridge", 2, "scanning"),
  cpu("download", "nghttpx", 1),
  cpu("download", "nginx", 1.1),
  cpu("upload", "nghttpx", 0.8),
  cpu("upload", "nghttpx", 1.4, "documented"),
  cpu("tls-unary-100", "nghttpx", 0.6),
  cpu("tls-download", "nghttpx", 1.1),
  cpu("tls-upload", "nghttpx", 1.25),
  { load: "mixed", measure: "p50", target: "bridge", limit: { peer: "haproxy", ratio: 1 } },
  { load: "stalled-windows", measure: "memory", target: "bridge", limit: { peer: null, mebibytes: 50 } },
  { load: "stalled-socket", measure: "memory", target: "bridge", limit: { peer: null, mebibytes: 100 } },
];
