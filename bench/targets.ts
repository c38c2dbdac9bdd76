/** What is measured: how each proxy is started with one worker, in front of the backend, tuned with care for many small and large calls. */
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
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
  /** One line about the program, as it tells its version; null where it is not installed. */
  version(): string | null;
  start(place: Place): Promise<Running>;
}

interface Started {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

type Plan = (place: Place, port: number) => Started;

function target(name: string, version: () => string | null, plan: Plan): Target {
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
        throw new Error(`${name} did not start: ${(error as Error).message}; see ${log}`);
      }
      return { port, service };
    },
  };
}

function firstLine(command: string, flag: string): string | null {
  const { error, stdout, stderr } = spawnSync(command, [flag], { encoding: "utf8" });
  return error ? null : `${stdout}${stderr}`.split("\n")[0]!.trim();
}

/** This bridge, or another build of it, from a checkout or an unpacked package. */
export function bridge(
  name: string,
  dir: string,
  readPath: "auto" | "documented",
  nodeFlags: readonly string[],
): Target {
  const entry = ["src/cli/main.ts", "dist/cli/bin.js", "cli/bin.js"]
    .map((file) => join(dir, file))
    .find((file) => existsSync(file));
  if (entry === undefined) throw new Error(`${dir} is no checkout and no package of the bridge`);
  return target(
    name,
    () => `Node.js ${process.version}`,
    ({ front, backendPort, cert, key }, port) => ({
      command: [
        ...[process.execPath, ...nodeFlags, entry, "serve", "--log-level", "warn"],
        ...["--listen", `127.0.0.1:${port}`, "--admin", "127.0.0.1:0"],
        ...["--upstream", `127.0.0.1:${backendPort}`],
        ...(front === "tls" ? ["--tls-cert", cert, "--tls-key", key] : []),
      ],
      env: { REAPI_BRIDGE_READ_PATH: readPath },
    }),
  );
}

const nghttpx = target(
  "nghttpx",
  () => firstLine("nghttpx", "--version"),
  ({ front, backendPort, cert, key, dir }, port) => ({
    command: [
      ...["nghttpx", "--conf=/dev/null", "--single-process", "--workers=1", "--no-ocsp"],
      ...["--accesslog-file=/dev/null", `--errorlog-file=${join(dir, "errors")}`],
      `--frontend=127.0.0.1,${port}${front === "plain" ? ";no-tls" : ""}`,
      `--backend=127.0.0.1,${backendPort};;proto=h2`,
      ...["frontend", "backend"].flatMap((side) => [
        `--${side}-http2-window-size=16777215`,
        `--${side}-http2-connection-window-size=16777215`,
        `--${side}-http2-max-concurrent-streams=1000`,
      ]),
      ...(front === "tls" ? [key, cert] : []),
    ],
  }),
);

const nginx = target(
  "nginx",
  () => firstLine("nginx", "-v"),
  ({ front, backendPort, cert, key, dir }, port) => {
    const config = join(dir, "nginx.conf");
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (kind) => `  ${kind}_temp_path ${dir}/${kind};`,
    );
    writeFileSync(
      config,
      `daemon off;
${process.getuid?.() === 0 ? "user root;" : ""}
worker_processes 1;
pid ${dir}/pid;
error_log ${dir}/errors;
events { worker_connections 4096; }
http {
${temporary.join("\n")}
  access_log off;
  ignore_invalid_headers off;
  upstream backend {
    server 127.0.0.1:${backendPort};
    keepalive 512;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} http2${front === "tls" ? " ssl" : ""};
${front === "tls" ? `    ssl_certificate ${cert};\n    ssl_certificate_key ${key};\n    ssl_protocols TLSv1.3;` : ""}
    http2_max_concurrent_streams 1000;
    http2_body_preread_size 1m;
    keepalive_requests 1000000000;
    client_max_body_size 0;
    location / {
      grpc_pass grpc://backend;
      grpc_buffer_size 64k;
      grpc_read_timeout 600s;
      grpc_send_timeout 600s;
    }
  }
}
`,
    );
    return { command: ["nginx", "-p", dir, "-e", join(dir, "errors"), "-c", config] };
  },
);

const haproxy = target(
  "haproxy",
  () => firstLine("haproxy", "-v"),
  ({ front, backendPort, cert, key, dir }, port) => {
    const config = join(dir, "haproxy.cfg");
    const tls = `ssl crt ${cert} alpn h2`;
    writeFileSync(
      config,
      `global
  nbthread 1
  maxconn 4096
  tune.bufsize 65536
  tune.h2.initial-window-size 1048576
  tune.h2.max-concurrent-streams 1000
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
frontend front
  bind 127.0.0.1:${port} ${front === "tls" ? tls : "proto h2"}
  default_backend back
backend back
  server backend 127.0.0.1:${backendPort} proto h2
`,
    );
    // It looks for the key beside the certificate.
    if (front === "tls" && key !== `${cert}.key`) throw new Error("haproxy needs the key as CERT.key");
    return { command: ["haproxy", "-db", "-f", config] };
  },
);

/** The proxies that the bridge is compared with. */
export const PEERS: readonly Target[] = [nghttpx, nginx, haproxy];
