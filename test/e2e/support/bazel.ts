import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Outcome, run } from "./command.ts";
import { contents } from "./folder.ts";

const HERE = import.meta.dirname;
const STUBS = ["rules_cc", "rules_java", "remote_coverage_tools"];

const REMOTE = [
  "--spawn_strategy=remote",
  "--genrule_strategy=remote",
  "--strategy=CppCompile=remote",
  "--strategy=CppLink=remote",
];

const LOCAL = [
  "--spawn_strategy=standalone",
  "--genrule_strategy=standalone",
  "--strategy=CppCompile=standalone",
  "--strategy=CppLink=standalone",
];

const { E2E } = process.env;

/** Whether this run is for everything there is, with `E2E=full`. */
export const isFull = E2E === "full";

/** The Bazels that are tested: three that npm has, and Debian's, which calls itself «no_version». */
export type BazelVersion = "0.17.2" | "0.29.0" | "2.1.0" | "4.2.3";

/** The versions of this run: all with `E2E=full`, else the oldest and the newest. */
export const BAZELS: readonly BazelVersion[] = isFull
  ? ["0.17.2", "0.29.0", "2.1.0", "4.2.3"]
  : ["0.17.2", "4.2.3"];

/** The level of the API that a server needs for each version, with nothing translated. */
export const LEVELS: Readonly<Record<BazelVersion, string>> = {
  // Of 2018, but it counts on the parents of outputs being made, which the API has promised only since 2.0.
  "0.17.2": "2.0",
  // These never send the empty blob, which servers have had to know of themselves since 2.2 (D13).
  "0.29.0": "2.2",
  "2.1.0": "2.2",
  "4.2.3": "2.2",
};

/** What a build came to. */
export interface Build extends Outcome {
  /** How many actions ran in which way, as Bazel sums it up: `remote`, `remote cache hit`, `local` … */
  readonly actions: ReadonlyMap<string, number>;
}

/** How a Bazel is used. */
export interface BazelOptions {
  /** Its server stays for the next command, which saves most of the time of a small build, until `shutdown`. */
  readonly resident?: boolean;
  /** The modules that the workspace has, in place of 16. */
  readonly modules?: number;
}

/** One Bazel with a workspace of its own: a copy of `bazel-workspace`, and nothing built yet. */
export class Bazel {
  readonly version: BazelVersion;
  private readonly workspace: string;
  private readonly outputBase: string;
  private readonly home: string;
  private readonly startup: readonly string[];

  /** `folder` is the place of all it writes; what Bazel unpacks for itself goes to `shared`. */
  constructor(
    version: BazelVersion,
    folder: string,
    shared: string,
    { resident = false, modules }: BazelOptions = {},
  ) {
    this.version = version;
    this.workspace = join(folder, "workspace");
    this.outputBase = join(folder, "output");
    this.home = join(folder, "home");
    mkdirSync(this.home, { recursive: true });
    cpSync(join(HERE, "../bazel-workspace"), this.workspace, { recursive: true });
    if (modules !== undefined)
      writeFileSync(join(this.workspace, "numbers.bzl"), `MODULES = range(${modules})\n`);
    this.startup = [
      `--output_user_root=${join(shared, `bazel-${version}`)}`,
      `--output_base=${this.outputBase}`,
      // Without --batch a server stays behind, here a minute longer than the tests at most.
      resident ? "--max_idle_secs=60" : "--batch",
    ];
  }

  /** Runs `bazel build` with these flags and targets, whatever comes of it. */
  async build(...args: readonly string[]): Promise<Build> {
    const stubs = STUBS.map((name) => `--override_repository=${name}=${join(HERE, "../bazel-stubs", name)}`);
    const quiet = ["--symlink_prefix=/", "--color=no", "--curses=no"];
    // The rules about C++ and Java are part of a Bazel this old.
    const flags = this.version === "0.17.2" ? quiet : [...quiet, ...stubs];
    const outcome = await this.run("build", ...flags, ...args);
    return { ...outcome, actions: countActions(outcome.output) };
  }

  /** Forgets everything that was built, so that the next build starts over; with `--expunge` all it ever wrote in its output base. */
  async clean(...flags: readonly "--expunge"[]): Promise<void> {
    const { code, output } = await this.run("clean", ...flags);
    if (code !== 0) throw new Error(`bazel clean: exit code ${code}\n${output}`);
  }

  /** Ends the server of a resident one. */
  async shutdown(): Promise<void> {
    await this.run("shutdown");
  }

  /** The outputs of the last build, as `contents` tells them; without what names the folders of this very build. */
  outputs(): string[] {
    const out = join(this.outputBase, "execroot/reapi_bridge_e2e/bazel-out");
    return contents(out, (path) => !/^(host|k8-fastbuild)/.test(path) || /runfiles/.test(path));
  }

  /** The flags for running every action at an address `host:port`; over TLS if there is a certificate to trust. */
  remote(address: string, certificate?: string): string[] {
    if (certificate === undefined) return [...REMOTE, `--remote_executor=${this.url("grpc", address)}`];
    const trust = ["--tls_certificate", certificate];
    if (this.version === "0.17.2") trust.push("--tls_enabled");
    return [...REMOTE, `--remote_executor=${this.url("grpcs", address)}`, ...trust];
  }

  /** The flags for running every action here, with the results shared through a gRPC cache at `host:port` if there is one. */
  local(cache?: string): string[] {
    return cache === undefined ? LOCAL : [...LOCAL, `--remote_cache=${this.url("grpc", cache)}`];
  }

  /** The flags for a property of the platform that every action asks for. */
  platform(name: string, value: string): string[] {
    if (this.version === "4.2.3") return [`--remote_default_exec_properties=${name}=${value}`];
    const flag =
      this.version === "0.17.2"
        ? "--experimental_remote_platform_override"
        : "--remote_default_platform_properties";
    return [`${flag}=properties:{name:"${name}" value:"${value}"}`];
  }

  /** The flags for a cache over HTTP at `host:port`; actions run as other flags say. */
  httpCache(address: string): string[] {
    const flag = this.version === "0.17.2" ? "--remote_http_cache" : "--remote_cache";
    return [`${flag}=http://${address}`];
  }

  private run(command: string, ...args: readonly string[]): Promise<Outcome> {
    return run(this.program, [...this.startup, command, ...args], {
      cwd: this.workspace,
      // The settings of whoever runs the tests do not count.
      env: { HOME: this.home },
      timeoutMs: 600_000,
    });
  }

  /** Schemes came later than 0.17.2. */
  private url(scheme: string, address: string): string {
    return this.version === "0.17.2" ? address : `${scheme}://${address}`;
  }

  private get program(): string {
    if (this.version === "4.2.3") return "bazel";
    const name = `bazel-${this.version}`;
    return join(HERE, `../programs/node_modules/${name}/${name}-linux-x86_64`);
  }
}

/** Reads «INFO: 128 processes: 23 internal, 105 remote.» */
function countActions(output: string): ReadonlyMap<string, number> {
  const [, parts = ""] = /^INFO: \d+ process(?:es)?: (.*)\.$/m.exec(output) ?? [];
  return new Map([...parts.matchAll(/(\d+) ([^,]+)/g)].map(([, count, kind]) => [kind!, Number(count)]));
}
