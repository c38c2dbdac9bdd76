/** The proxies that the bridge is compared with: one worker each, windows and buffers wide enough for many small and large calls. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Target, target } from "./targets.ts";

/** What a program says of its version; null where it is not installed. */
function versionOf(command: string, flag: string): string | null {
  const { error, stdout, stderr } = spawnSync(command, [flag], { encoding: "utf8" });
  return error ? null : (/\d+\.\d+\S*/.exec(stdout + stderr)?.[0] ?? "unknown version");
}

const nghttpx = target(
  "nghttpx",
  () => versionOf("nghttpx", "--version"),
  ({ front, backendPort, cert, key }, port) => ({
    command: [
      ...["nghttpx", "--conf=/dev/null", "--single-process", "--workers=1", "--no-ocsp"],
      "--accesslog-file=/dev/null",
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
  () => versionOf("nginx", "-v"),
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
error_log stderr;
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
    return { command: ["nginx", "-p", dir, "-e", "stderr", "-c", config] };
  },
);

const haproxy = target(
  "haproxy",
  () => versionOf("haproxy", "-v"),
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

/** All of them, in the order of the tables. */
export const PEERS: readonly Target[] = [nghttpx, nginx, haproxy];
