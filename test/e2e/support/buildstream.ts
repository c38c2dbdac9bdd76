import { cpSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { KeyPair } from "./certificates.ts";
import { type Outcome, run, succeed } from "./command.ts";
import { Service } from "./service.ts";

const PROJECT = join(import.meta.dirname, "../buildstream-project");
const SERVER = join(import.meta.dirname, "buildstream-server.py");
const TOOLS = ["/bin/dash", "/bin/cat", "/bin/cp", "/bin/ln", "/bin/mkdir", "/usr/bin/seq"];

/** The artifact cache that a command uses; `cert` is the certificate to trust, for an `https:` URL. */
export interface Remote {
  readonly url: string;
  readonly cert?: string;
}

/** Rejects, saying what is missing, where BuildStream cannot run commands: its sandbox needs namespaces and FUSE. */
export async function needSandbox(): Promise<void> {
  const { code, output } = await run("bwrap", ["--ro-bind", "/", "/", "--unshare-all", "true"]);
  if (code !== 0) throw new Error(`bubblewrap may not make namespaces here: ${output.trim()}`);
  if (!existsSync("/dev/fuse")) throw new Error("there is no /dev/fuse here, which BuildStream needs");
}

/** How an artifact server is started. */
export interface ArtifactServerOptions {
  readonly tls?: KeyPair;
  /** The largest batch it takes, in bytes, if that is not its own; it does not say so, nor anything else of itself. */
  readonly batchBytes?: number;
}

/** BuildStream's artifact server, with its files in `folder`, and where it serves (`localhost:port`). */
export async function startArtifactServer(
  folder: string,
  { tls, batchBytes }: ArtifactServerOptions = {},
): Promise<{ service: Service; address: string }> {
  const args = [SERVER, folder, ...(tls === undefined ? [] : [tls.key, tls.cert])];
  // Debian's own Python is the one that has BuildStream.
  const env = batchBytes === undefined ? {} : { BATCH_BYTES: String(batchBytes) };
  const service = await Service.start("/usr/bin/python3", args, "serving ", env);
  return { service, address: service.greeting.replace("serving ", "") };
}

/**
 * Makes a copy of the project of the tests in `folder`, with what cannot be kept in a repository: a shell and its libraries
 * for the sandbox, a file of 40 MB, links, and more small files than go into one batch.
 */
export async function createProject(folder: string): Promise<void> {
  cpSync(PROJECT, folder, { recursive: true });
  const sysroot = join(folder, "sysroot");
  for (const tool of TOOLS) {
    const libraries = (await succeed("ldd", [tool])).match(/\/\S+/g) ?? [];
    for (const file of [tool, ...libraries]) {
      const copy = join(sysroot, file.replace(/^\/usr/, ""));
      mkdirSync(dirname(copy), { recursive: true });
      cpSync(realpathSync(file), copy);
    }
  }
  symlinkSync("dash", join(sysroot, "bin/sh"));
  for (const mountPoint of ["dev", "proc", "tmp"]) mkdirSync(join(sysroot, mountPoint));

  const files = join(folder, "files");
  const lines = Array.from({ length: 1_000_000 }, (_, n) => `${String(n * 7919).padStart(39, "0")}\n`);
  writeFileSync(join(files, "large.txt"), lines.join(""));
  mkdirSync(join(files, "many/empty"), { recursive: true });
  for (let n = 0; n < 400; n++)
    writeFileSync(join(files, "many", `${n}.txt`), lines.slice(n, n + 100).join(""));
  writeFileSync(join(files, "tool.sh"), "#!/bin/sh\necho ran\n", { mode: 0o755 });
  symlinkSync("hello.txt", join(files, "relative"));
  symlinkSync("/hello.txt", join(files, "absolute"));
}

/** One user of BuildStream: the program with a home, and so an artifact cache, of its own. */
export class BuildStream {
  /** Its local artifact cache: a CAS in files. */
  readonly cache: string;
  private readonly home: string;
  private readonly project: string;

  constructor(home: string, project: string) {
    mkdirSync(home, { recursive: true });
    this.home = home;
    this.project = project;
    this.cache = join(home, "cache/buildstream/artifacts/cas");
  }

  /** Runs `bst` with these arguments and its standard settings. */
  run(remote: Remote | null, ...args: string[]): Promise<Outcome> {
    const config = join(this.home, "config.yaml");
    writeFileSync(config, configuration(remote));
    const options = ["--config", config, "--no-interactive", "--no-colors"];
    return run("bst", [...options, ...args], {
      cwd: this.project,
      env: {
        HOME: this.home,
        XDG_CACHE_HOME: join(this.home, "cache"),
        XDG_CONFIG_HOME: join(this.home, "config"),
      },
    });
  }
}

function configuration(remote: Remote | null): string {
  if (remote === null) return "{}\n";
  const certificate = remote.cert === undefined ? "" : `  server-cert: ${remote.cert}\n`;
  return `artifacts:\n- url: ${remote.url}\n${certificate}  push: true\n`;
}
