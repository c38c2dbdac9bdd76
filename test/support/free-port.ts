import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";

/** A port that is free now on every address of the loopback, for what must know it before it listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "0.0.0.0");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
