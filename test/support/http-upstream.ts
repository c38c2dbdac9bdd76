import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/** A plain HTTP/1 server on an ephemeral port of the loopback. */
export interface HttpUpstream {
  /** What `--http-upstream` takes. */
  readonly url: string;
  /** Closes the listener and every connection. */
  close(): Promise<void>;
}

/** Starts one that answers with `serve`. */
export async function startHttpUpstream(serve: RequestListener): Promise<HttpUpstream> {
  const server = createServer(serve);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** Reads a request to its end and answers with `body`. */
export function answerAfterRequest(body: Buffer): RequestListener {
  return (request, response) => {
    request.resume();
    request.on("end", () => response.end(body));
  };
}
