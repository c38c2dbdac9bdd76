/** The command line of the benchmark. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { ACTION_LOADS, SIZES } from "./actions/loads.ts";
import { LOADS, type Load } from "./loads.ts";
import { type Cores, defaultCores } from "./pinned.ts";

/** What the benchmark was asked for. */
export interface Flags {
  readonly loads: readonly Load[];
  /** Ids of loads about actions, and the sizes of trees in files. */
  readonly actionLoads: readonly string[];
  readonly trees: readonly number[];
  /** Whether transfers that are not only relayed are measured. */
  readonly transfers: boolean;
  /** Names of targets; undefined for all. */
  readonly targets: ReadonlySet<string> | undefined;
  /** Other builds of the bridge: name → directory. */
  readonly bridges: ReadonlyMap<string, string>;
  readonly rounds: number;
  readonly seconds: number;
  readonly cores: Cores;
  /** Where the document goes; null to print only. */
  readonly out: string | null;
  /** Where the bridges leave their CPU profiles; null for none. */
  readonly profile: string | null;
}

/** The text of `--help`. */
export const HELP = `Compares the bridge with other proxies: CPU, throughput, latency and memory; and what rewriting actions costs with relaying.

Usage: npm run bench -- [flags]

  --loads A,B           only these loads: ${LOADS.map(({ id }) => id).join(", ")}
  --actions             only the loads about actions: ${ACTION_LOADS.join(", ")};
                        --loads takes them as well
  --transfers           only transfers of blobs: compressed and not, cut into chunks, and FindMissingBlobs of 100,000 digests
  --trees A,B           files in the input trees of these (default ${SIZES.join(",")}, or ${SIZES[0]} with --quick)
  --targets A,B         only these targets: direct, bridge, documented, scanning, nghttpx, nginx, haproxy, and names of --bridge
  --bridge NAME=DIR     also the build of the bridge in DIR, a checkout or an unpacked package; may be repeated
  --rounds N            rounds that count (default 5)
  --seconds S           length of one run (default 1.5)
  --quick               3 rounds of 0.5 s
  --cores P,G,B         cores of proxy, generator and backend (default 0,1,2, or 0,1,1 where there are two)
  --profile DIR         the bridges write V8 CPU profiles there, and the functions that cost most are printed
  --out FILE            where the tables go (default docs/benchmarks.md for a full run, else nowhere)

Needs taskset, gcc, libnghttp2-dev, libssl-dev and openssl, and those of nghttpx, nginx and haproxy that are to be compared.
`;

function names(text: string | undefined): ReadonlySet<string> | undefined {
  return text === undefined ? undefined : new Set(text.split(",").map((name) => name.trim()));
}

const ALL_LOADS: readonly string[] = [...LOADS.map(({ id }) => id), ...ACTION_LOADS];

/** Ids of loads: all of them, where nobody asked for some. */
function chosenLoads(
  wanted: ReadonlySet<string> | undefined,
  { actions, transfers }: { readonly actions: boolean; readonly transfers: boolean },
): ReadonlySet<string> {
  for (const name of wanted ?? [])
    if (!ALL_LOADS.includes(name)) throw new Error(`there is no load "${name}"; see --help`);
  if (wanted === undefined && !actions && !transfers) return new Set(ALL_LOADS);
  return new Set([...(wanted ?? []), ...(actions ? ACTION_LOADS : [])]);
}

function treeSizes(text: string | undefined, quick: boolean): readonly number[] {
  if (text === undefined) return quick ? SIZES.slice(0, 1) : SIZES;
  return text.split(",").map((size) => positive("trees", size));
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${flag} takes a number above 0, not "${text}"`);
  return value;
}

function namedDirectory(text: string): [string, string] {
  const [, name, dir] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || dir === undefined) throw new Error(`--bridge takes NAME=DIR, not "${text}"`);
  return [name, resolve(dir)];
}

function cores(text: string | undefined): Cores {
  if (text === undefined) return defaultCores();
  const [proxy, generator, backend] = text.split(",").map(Number);
  if (![proxy, generator, backend].every(Number.isInteger))
    throw new Error(`--cores takes P,G,B, not "${text}"`);
  return { proxy: proxy!, generator: generator!, backend: backend! };
}

/** Reads the flags; null when help was asked for. Throws with a sentence on anything it does not understand. */
export function readFlags(args: readonly string[]): Flags | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      loads: { type: "string" },
      actions: { type: "boolean", default: false },
      transfers: { type: "boolean", default: false },
      trees: { type: "string" },
      targets: { type: "string" },
      bridge: { type: "string", multiple: true, default: [] },
      rounds: { type: "string" },
      seconds: { type: "string" },
      quick: { type: "boolean", default: false },
      cores: { type: "string" },
      profile: { type: "string" },
      out: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return null;
  const full =
    values.loads === undefined && values.targets === undefined && values.trees === undefined && !values.quick;
  const chosen = chosenLoads(names(values.loads), values);
  const everything = values.loads === undefined && values.targets === undefined && !values.actions;
  return {
    loads: LOADS.filter(({ id }) => chosen.has(id)),
    // Other proxies do not rewrite actions.
    actionLoads: values.targets === undefined ? ACTION_LOADS.filter((id) => chosen.has(id)) : [],
    transfers: values.transfers || everything,
    trees: treeSizes(values.trees, values.quick),
    targets: names(values.targets),
    bridges: new Map(values.bridge.map(namedDirectory)),
    rounds: positive("rounds", values.rounds ?? (values.quick ? "3" : "5")),
    seconds: positive("seconds", values.seconds ?? (values.quick ? "0.5" : "1.5")),
    cores: cores(values.cores),
    out: values.out ?? (full ? "docs/benchmarks.md" : null),
    profile: values.profile === undefined ? null : resolve(values.profile),
  };
}
