import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BridgeProcess } from "./bridge.ts";
import { Service } from "./service.ts";

const EXAMPLES = join(import.meta.dirname, "../../../deploy");

/** The balancers that there is an example for in `deploy`. */
export type BalancerName = "nginx" | "haproxy";

/** A balancer in front of several bridges, set up as its example in `deploy` says. */
export interface Balancer {
  /** `host:port` where it serves clients. */
  readonly address: string;
  readonly service: Service;
}

/** Starts a balancer in front of three bridges; `folder` is for its files. */
export async function startBalancer(
  name: BalancerName,
  bridges: readonly BridgeProcess[],
  folder: string,
): Promise<Balancer> {
  mkdirSync(folder, { recursive: true });
  const port = await freePort();
  const command = name === "nginx" ? nginx(bridges, port, folder) : haproxy(bridges, port, folder);
  // What it says of replicas that are gone is not for the reports of the tests.
  const script = `echo starting; exec ${command} >${join(folder, "log")} 2>&1`;
  const service = await Service.start("sh", ["-c", script], "starting");
  await accepting(port);
  return { address: `127.0.0.1:${port}`, service };
}

function nginx(bridges: readonly BridgeProcess[], port: number, folder: string): string {
  let site = filled(
    readFileSync(join(EXAMPLES, "nginx.conf"), "utf8"),
    /listen 8980/,
    `listen 127.0.0.1:${port}`,
  );
  bridges.forEach(({ address }, index) => {
    site = filled(site, `bridge-${index + 1}.example.com:8985`, address);
  });
  writeFileSync(join(folder, "site.conf"), site);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const config = join(folder, "nginx.conf");
  // What Debian's own file has around the files of conf.d, and nothing that outlives the tests.
  const lines = [
    ...["daemon off;", "master_process off;", `pid ${folder}/pid;`, "error_log stderr;"],
    "events { worker_connections 4096; }",
    "http {",
    ...temporary.map((kind) => `${kind}_temp_path ${folder}/${kind};`),
    ...["access_log off;", `include ${folder}/site.conf;`, "}"],
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  return `nginx -p ${folder} -e stderr -c ${config}`;
}

function haproxy(bridges: readonly BridgeProcess[], port: number, folder: string): string {
  let text = filled(
    readFileSync(join(EXAMPLES, "haproxy.cfg"), "utf8"),
    "bind :8980",
    `bind 127.0.0.1:${port}`,
  );
  bridges.forEach(({ address, admin }, index) => {
    const adminPort = admin.slice(admin.lastIndexOf(":") + 1);
    text = filled(text, `bridge-${index + 1}.example.com:8985`, `${address} port ${adminPort}`);
  });
  const config = join(folder, "haproxy.cfg");
  writeFileSync(config, text);
  return `haproxy -db -f ${config}`;
}

/** The example with one of its places filled in. */
function filled(text: string, place: string | RegExp, value: string): string {
  const result = text.replace(place, value);
  if (result === text) throw new Error(`the example has no «${place}»`);
  return result;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function accepting(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return;
    } catch {
      await sleep(50);
    } finally {
      socket.destroy();
    }
  }
  throw new Error(`nobody listens at port ${port}`);
}
