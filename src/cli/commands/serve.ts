import { once } from "node:events";
import { loadConfig } from "../../config/load.ts";
import { VERSION } from "../../config/version.ts";
import { createBridge } from "../../index.ts";
import { createLog } from "../../observe/log.ts";
import type { Command } from "../command.ts";
import { SERVE_FLAGS } from "../serve-flags.ts";

const ABOUT = `\
reapi-bridge stands between a client of the Remote Execution API (Bazel, BuildStream, Buck2 …) and a
server (Buildfarm, Buildbarn, BuildGrid …) that may be older or newer. Calls on which the two agree pass
byte for byte; where they differ, a call is translated, or refused with what to change.

  reapi-bridge --upstream buildfarm:8980
  bazel build --remote_executor=grpc://127.0.0.1:8985 //...

Addresses: HOST:PORT or grpc://HOST:PORT (plain), grpcs://HOST[:PORT] (TLS, upstream only), unix:PATH;
IPv6 in brackets. --upstream embedded[:LEVEL] runs a small server of that API level inside the bridge,
--upstream embedded:SERVER one that plays a known server (buildbarn@2026-03-26).
Every flag is also a variable (--log-level is REAPI_BRIDGE_LOG_LEVEL) and a key of the file; a flag wins over
a variable, a variable over the file. All of it: docs/cli.md.`;

/** `reapi-bridge serve`, the default: runs the bridge until it is told to stop. */
export const command: Command = {
  name: "serve",
  summary: "run the bridge (the default command)",
  about: ABOUT,
  flags: SERVE_FLAGS,
  async run({ flags, env, stop }) {
    const config = loadConfig({ flags, env, terminal: process.stdout.isTTY === true });
    const log = createLog(config.log);
    const bridge = await createBridge({ config, log });
    const { listening, admin, upstreamSaid } = bridge;
    log.info({ version: VERSION, listening, admin, upstream: upstreamSaid }, "reapi-bridge is up");
    if (!stop.aborted) await once(stop, "abort");
    log.info({ signal: stop.reason }, "stopping: new calls go elsewhere, running ones may end");
    await bridge.stop();
    log.info("stopped");
    return 0;
  },
};
