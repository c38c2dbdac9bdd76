import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** A cache over plain HTTP: what was PUT under a path is what GET and HEAD find there. */
export interface HttpCache {
  /** Its base URL, without a slash at the end. */
  readonly url: string;
  /** What it holds, by path. */
  readonly entries: ReadonlyMap<string, Buffer>;
  /** Closes it and its connections. */
  stop(): Promise<void>;
}

/** Starts an empty cache that keeps everything in memory. */
export async function startHttpCache(): Promise<HttpCache> {
  const entries = new Map<string, Buffer>();
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    if (request.method === "PUT") {
      buffer(request).then(
        (body) => {
          entries.set(path, body);
          response.writeHead(201).end();
        },
        // A client that went away mid-upload stores nothing.
        () => response.destroy(),
      );
      return;
    }
    const found = entries.get(path);
    if (found === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "content-length": found.length }).end(found);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, entries, stop: () => close(server) };
}

async function close(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}
