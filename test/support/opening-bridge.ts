/**
 * A program: a bridge that opens the messages of one method and answers with their number; other calls it relays. The argument is the
 * upstream; the first line it prints is JSON with `listening` and `admin`, as that of the real command is.
 */
import { once } from "node:events";
import { createBridge } from "../../src/index.ts";
import type { OpenedCall } from "../../src/proxy/messages/opened-call.ts";
import { OPENED_METHOD } from "./opened-method.ts";
import { bridgeConfig } from "./raw-h2/bridge.ts";

async function count(call: OpenedCall): Promise<void> {
  let messages = 0;
  for await (const _ of call.requests()) messages++;
  await call.respond([Buffer.of(messages)]);
}

const bridge = await createBridge({
  config: bridgeConfig(process.argv[2]!),
  routes: new Map([[OPENED_METHOD, { lane: "translate", handle: count }]]),
});
console.log(JSON.stringify({ listening: bridge.listening, admin: bridge.admin }));
await once(process, "SIGTERM");
await bridge.stop();
