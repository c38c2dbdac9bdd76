import { CallFailed } from "../../client/call-failed.ts";
import { Connection } from "../../client/connection.ts";
import { RemoteClient } from "../../client/remote-client.ts";
import { loadConfig } from "../../config/load.ts";
import { type Bridge, createBridge } from "../../index.ts";
import type { Command } from "../command.ts";
import { type BuildPlan, build } from "../demo/build.ts";
import { BuildError } from "../demo/build-error.ts";
import { greet } from "../demo/greet.ts";
import { EXPECTED, SOURCES, TARGETS } from "../demo/phrase-book.ts";
import { type BuildReport, buildText, duration, trafficText } from "../demo/report.ts";
import { trafficBetween } from "../demo/traffic.ts";
import { verifyCaching, verifyOutputs } from "../demo/verify.ts";

const ABOUT = `\
Shows the bridge at work, on this machine and in a few seconds: starts a small server of the Remote
Execution API and a bridge in front of it, sends a build of a few actions through the bridge, twice,
and checks every file that comes out. It uses free ports, needs nothing but Node.js and /bin/sh, and
leaves nothing behind.`;

/** A bridge to an embedded server, both in this process, on a free port. */
const CONFIG = {
  flags: new Map([
    ["upstream", ["embedded"]],
    ["listen", ["127.0.0.1:0"]],
    ["admin", ["off"]],
    ["log-level", ["error"]],
    ["drain-max", ["5s"]],
  ]),
  env: {},
  terminal: true,
};

/** No call of the demo takes long. */
const CALL_MS = 10_000;

/** `reapi-bridge demo`: exit code 0 only if every file was right and the second build ran nothing. */
export const command: Command = {
  name: "demo",
  summary: "send a small build through a bridge to an embedded server, and show what travelled",
  about: ABOUT,
  flags: [],
  async run({ env, print, stop }) {
    const start = performance.now();
    const bridge = await createBridge({ config: loadConfig(CONFIG) });
    try {
      const [address] = bridge.listening as [string];
      print("reapi-bridge demo: a small build on a remote execution server, through the bridge\n\n");
      print(`  build client  →  bridge at ${address}  →  embedded server\n\n`);
      const { PATH = "/usr/bin:/bin" } = env;
      const plan = { sources: SOURCES, targets: TARGETS, searchPath: PATH };
      const first = await buildOnce(plan, bridge, address, stop);
      print("First build: the server is empty, so all is uploaded and run\n");
      print(`${buildText(first)}\n`);
      const second = await buildOnce(plan, bridge, address, stop);
      print("Second build: a new client with the same sources\n");
      print(`${buildText(second)}\n`);
      print(`${trafficText(first.traffic, second.traffic)}\n`);
      verifyCaching(first.built, second.built);
      const count = Object.keys(EXPECTED).length;
      print(`All ${count} files are right, to the byte, and the second build ran nothing.`);
      print(` Done in ${duration(performance.now() - start)}.\n`);
      print("With a server of yours:  reapi-bridge --upstream HOST:PORT   (more: reapi-bridge --help)\n");
      return 0;
    } catch (error) {
      const reason = error instanceof CallFailed ? error.text : (error as Error).message;
      if (!(error instanceof BuildError || error instanceof CallFailed) && !stop.aborted) throw error;
      print(stop.aborted ? "stopped before the end\n" : `The demo failed: ${reason}\n`);
      return 1;
    } finally {
      await bridge.stop();
    }
  },
};

async function buildOnce(
  plan: BuildPlan,
  bridge: Bridge,
  address: string,
  stop: AbortSignal,
): Promise<BuildReport> {
  const before = await bridge.metrics();
  const start = performance.now();
  const connection = new Connection(address, { callMs: CALL_MS, signal: stop });
  try {
    const client = new RemoteClient(connection, await greet(connection));
    const built = await build(plan, client, stop);
    await verifyOutputs(built, EXPECTED, client.store);
    const milliseconds = performance.now() - start;
    return { built, milliseconds, traffic: trafficBetween(before, await bridge.metrics()) };
  } finally {
    connection.close();
  }
}
