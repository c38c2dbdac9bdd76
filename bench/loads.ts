/** What is sent through each target. */
import type { Front } from "./targets.ts";

interface Common {
  readonly id: string;
  readonly title: string;
  readonly front: Front;
}

/** A load of one kind of calls. CPU is counted per call, or per GiB of message bytes. */
export interface Traffic extends Common {
  readonly kind: "traffic";
  readonly per: "call" | "GiB";
  /** Arguments of the generator; it starts no call after the given seconds. */
  readonly args: readonly string[];
  /** Small calls beside bulk ones: these arguments run a second generator whose latencies count. */
  readonly beside?: readonly string[];
}

/** Calls whose answers nobody takes; the memory held for them counts. */
export interface Stall extends Common {
  readonly kind: "stall";
  readonly how: "windows" | "socket";
}

/** One of the loads. */
export type Load = Traffic | Stall;

/** Blobs that a stalled load asks for, of 64 MiB each. */
export const STALLED_CALLS = 20;

function traffic(
  id: string,
  title: string,
  per: "call" | "GiB",
  args: string,
  more: Partial<Traffic> = {},
): Load {
  return { kind: "traffic", id, title, front: "plain", per, args: args.split(" "), ...more };
}

function unary(id: string, title: string, args: string): Load[] {
  return [
    traffic(id, `${title}, equal headers`, "call", `unary ${args}`),
    traffic(`${id}-varying`, `${title}, varying headers`, "call", `unary ${args} --varying`),
  ];
}

const tls = { front: "tls" } as const;

/** Every load, in the order of the report. */
export const LOADS: readonly Load[] = [
  ...unary("unary-100", "unary, 100 in flight", "--inflight 100"),
  ...unary("unary-10x10", "unary, 10 connections × 10 in flight", "--connections 10 --inflight 10"),
  ...unary("unary-1", "one call in flight", "--inflight 1"),
  traffic("find-1000", "FindMissingBlobs of 1,000 digests", "call", "unary --digests 1000 --inflight 20"),
  traffic("download", "download 64 MiB", "GiB", "download"),
  traffic("upload", "upload 64 MiB", "GiB", "upload"),
  traffic("mixed", "unary during bulk downloads", "GiB", "download --connections 2 --inflight 4", {
    beside: ["unary", "--inflight", "10"],
  }),
  traffic("tls-unary-100", "TLS: unary, 100 in flight", "call", "unary --tls --inflight 100", tls),
  traffic("tls-download", "TLS: download 64 MiB", "GiB", "download --tls", tls),
  traffic("tls-upload", "TLS: upload 64 MiB", "GiB", "upload --tls", tls),
  {
    kind: "stall",
    id: "stalled-windows",
    title: `${STALLED_CALLS} × 64 MiB stalled, windows shut`,
    front: "plain",
    how: "windows",
  },
  {
    kind: "stall",
    id: "stalled-socket",
    title: `${STALLED_CALLS} × 64 MiB stalled, socket not read`,
    front: "plain",
    how: "socket",
  },
];
