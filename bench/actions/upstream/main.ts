/** The upstream as a process: prints its port, and does what it is told on its standard input, with a line of JSON for each line. */
import { createInterface } from "node:readline";
import { formatDigest } from "../../../src/wire/digest.ts";
import { serve } from "./grpc-server.ts";
import { MemoryServer } from "./memory-server.ts";

const server = new MemoryServer();
/** What it can be told. */
const orders: Readonly<Record<string, () => unknown>> = {
  clear: () => server.clear(),
  uses: () => server.takeUses(),
  ran: () => (server.ran === null ? null : formatDigest(server.ran)),
};

const { port } = await serve((path, request) => server.answer(path, request));
console.log(port);
for await (const line of createInterface(process.stdin)) {
  console.log(JSON.stringify(orders[line]?.() ?? null));
}
process.exit(0);
