/** What is measured: a proxy that can be started, and the bridge as one of them. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, Service } from "./pinned.ts";

/** How clients reach a proxy. */
export type Front = "plain" | "tls";

/** What a target is started with. */
interface Place {
  readonly front: Front;
  readonly backendPort: number;
  readonly core: number;
  /** A directory of its own for configuration and logs. */
  readonly dir: string;
  /** PEM files for the TLS front. */
  readonly cert: string;
  readonly key: string;
}

/** A proxy that is up. */
export interface Running {
  readonly port: number;
  readonly service: Service;
}

/** A proxy that can be measured. */
export interface Target {
  readonly name: string;
  /** Its version; null where it is not installed. */
  version(): string | null;
  start(place: Place): Promise<Running>;
}

/** How to run a program. */
interface Started {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** How to run a proxy so that it listens on `port` of 127.0.0.1, in the foreground, and tells its errors on standard output or error. */
type Plan = (place: Place, port: number) => Started;

/** A target that is started as `plan` says. */
export function target(name: string, version: () => string | null, plan: Plan): Target {
  return {
    name,
    version,
    async start(place) {
      const port = await freePort();
      const log = join(place.dir, "log");
      const { command, env = {} } = plan(place, port);
      const service = new Service(command, { core: place.core, env, log });
      try {
        await service.listens(port);
      } catch (error) {
        await service.stop();
        const said = readFileSync(log, "utf8").trim().split("\n").slice(-3).join("\n");
        throw new Error(`${name} did not start: ${(error as Error).message}\n${said}`);
      }
      return { port, service };
    },
  };
}

/** The version of a checkout or package, with what Git knows of it. */
function versionIn(dir: string): string {
  const { version } = JSON.parse(readFileSync(join(dir, "package.json"), "utf8")) as { version: string };
  const { status, stdout } = spawnSync("git", ["-C", dir, "rev-parse", "--short", "HEAD"], {
    encoding: "utf8",
  });
  return status === 0 ? `${version} (${stdout.trim()})` : version;
}

/** This bridge, or another build of it, from a checkout or an unpacked package. */
export function bridge(
  name: string,
  dir: string,
  readPath: "auto" | "documented",
  nodeFlags: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Target {
  const entry = ["src/cli/main.ts", "dist/cli/bin.js", "cli/bin.js"]
    .map((file) => join(dir, file))
    .find((file) => existsSync(file));
  if (entry === undefined) throw new Error(`${dir} is no checkout and no package of the bridge`);
  return target(
    name,
    () => `${versionIn(dir)} on Node.js ${process.version}`,
    ({ front, backendPort, cert, key }, port) => ({
      command: [
        ...[process.execPath, ...nodeFlags, entry, "serve", "--log-level", "warn"],
        ...["--listen", `127.0.0.1:${port}`, "--admin", "127.0.0.1:0"],
        ...["--upstream", `127.0.0.1:${backendPort}`],
        ...(front === "tls" ? ["--tls-cert", cert, "--tls-key", key] : []),
      ],
      env: { REAPI_BRIDGE_READ_PATH: readPath, ...env },
    }),
  );
}
