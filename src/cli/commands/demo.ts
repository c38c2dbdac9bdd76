import { CallFailed } from "../../client/call-failed.ts";
import { Connection } from "../../client/connection.ts";
import { RemoteClient } from "../../client/remote-client.ts";
import { loadConfig } from "../../config/load.ts";
import type { Config } from "../../config/types.ts";
import { type Bridge, createBridge } from "../../index.ts";
import type { Command } from "../command.ts";
import { buildAcross } from "../demo/across-levels.ts";
import { type BuildPlan, build } from "../demo/build.ts";
import { BuildError } from "../demo/build-error.ts";
import { greet } from "../demo/greet.ts";
import { LEVEL_PAIRS, type LevelPair } from "../demo/level-steps.ts";
import { alsoText, stepsText, surprises } from "../demo/levels-report.ts";
import { EXPECTED, SOURCES, TARGETS } from "../demo/phrase-book.ts";
import { type BuildReport, buildsText, duration, trafficText } from "../demo/report.ts";
import { trafficBetween } from "../demo/traffic.ts";
import { verifyCaching, verifyOutputs } from "../demo/verify.ts";
import { type Paper, paperOf, styled, wrapped } from "../paper.ts";

const ABOUT = `\
Shows the bridge at work, on this machine and in a few seconds. First a small build goes through a bridge to
a server, twice, and every file that comes out is checked. Then a client that is newer than its server, and
one that is older, do a few things with and without a bridge between them: what passes, what is translated,
and what is refused with which message.

It uses free ports, needs nothing but Node.js and /bin/sh, and leaves nothing behind. The exit code is 0 only
if everything came as the plan of the bridge says.`;

/** No call of the demo takes long. */
const CALL_MS = 10_000;

/** What the parts of the demo run with. */
interface Stage {
  readonly searchPath: string;
  readonly stop: AbortSignal;
  readonly paper: Paper;
  /** How the bridge is called here, for commands to try. */
  readonly self: string;
  print(text: string): void;
}

/** `reapi-bridge demo`: exit code 0 only if every file was right, the second build ran nothing, and each step across levels became what the plan says. */
export const command: Command = {
  name: "demo",
  summary: "show a bridge at work: a small build, and clients and servers of different API versions",
  about: ABOUT,
  flags: [],
  async run({ env, print, stop }) {
    const start = performance.now();
    const { PATH = "/usr/bin:/bin", npm_lifecycle_event: script } = env;
    const paper = paperOf(process.stdout, env);
    const self = script === undefined ? "reapi-bridge" : "npm start --";
    const stage = { searchPath: PATH, stop, print, paper, self };
    try {
      await buildTwice(stage);
      const wrong: string[] = [];
      for (const pair of LEVEL_PAIRS) wrong.push(...(await acrossLevels(pair, stage)));
      if (wrong.length > 0) throw new BuildError(wrong.join("; "));
      print(`\nAll of it came as planned, in ${duration(performance.now() - start)}.\n`);
      print(`With a server of yours:  ${self} --upstream HOST:PORT   (more: ${self} --help)\n`);
      return 0;
    } catch (error) {
      const reason = error instanceof CallFailed ? error.text : (error as Error).message;
      if (!(error instanceof BuildError || error instanceof CallFailed) && !stop.aborted) throw error;
      print(stop.aborted ? "stopped before the end\n" : `The demo failed: ${reason}\n`);
      return 1;
    }
  },
};

/** Builds through a bridge to an embedded server, and again. @throws BuildError for what is not as it should be. */
async function buildTwice({ searchPath, stop, paper, print }: Stage): Promise<void> {
  const bridge = await createBridge({ config: configOf("embedded") });
  try {
    const [address] = bridge.listening as [string];
    print(`${styled("A small build through the bridge", "bold", paper)}\n`);
    print(`  build client  →  bridge at ${address}  →  embedded server\n\n`);
    const plan = { sources: SOURCES, targets: TARGETS, searchPath };
    const first = await buildOnce(plan, bridge, address, stop);
    const second = await buildOnce(plan, bridge, address, stop);
    print(`${buildsText(first, second)}\n${trafficText(first.traffic, second.traffic)}\n`);
    verifyCaching(first.built, second.built);
    const count = Object.keys(EXPECTED).length;
    print(`All ${count} files are right, to the byte, and the second build ran nothing.\n`);
  } finally {
    await bridge.stop();
  }
}

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

/** Shows a client and a server of two levels; returns what did not come as planned, in a line each. */
async function acrossLevels(
  pair: LevelPair,
  { searchPath, stop, paper, print, self }: Stage,
): Promise<string[]> {
  const { client, server, about } = pair;
  const steps = await buildAcross({ ...pair, searchPath, signal: stop, startBridge });
  const title = `A client of API ${client} at a server of API ${server}`;
  print(`\n${styled(title, "bold", paper)}\n${wrapped("  ", about, paper)}\n`);
  print(`${stepsText(steps, paper)}\n${alsoText(pair, steps, paper)}`);
  print(`  The whole plan:  ${self} explain --client ${client} --server ${server}\n`);
  return surprises(steps, pair);
}

async function startBridge(upstream: string) {
  const bridge = await createBridge({ config: configOf(upstream) });
  const [address] = bridge.listening as [string];
  return { address, stop: () => bridge.stop() };
}

/** A bridge on a free port that says nothing unless something is wrong, and does not wait for clients when it stops. */
function configOf(upstream: string): Config {
  return loadConfig({
    flags: new Map([
      ["upstream", [upstream]],
      ["listen", ["127.0.0.1:0"]],
      ["admin", ["off"]],
      ["log-level", ["error"]],
      ["drain-max", ["5s"]],
    ]),
    env: {},
    terminal: true,
  });
}
