import { once } from "node:events";
import { createServer, type RequestListener, request, type Server } from "node:http";
import { connect } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import type { TestContext } from "node:test";

/** An HTTP/1 server on an ephemeral port, gone when the test is over. */
export async function httpServer(
  t: TestContext,
  answer: RequestListener,
): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer(answer);
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    // Upgraded sockets are no connections of the server any more.
    for (const socket of sockets) socket.destroy();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

/** A plain HTTP request. */
export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** What came back. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  readonly trailers: Readonly<Record<string, unknown>>;
}

/** One request to `address` (`host:port`), over a connection of its own. */
export type Requester = (address: string, path: string, what?: HttpRequest) => Promise<HttpAnswer>;

/** A request over HTTP/1. */
export async function overHttp1(
  address: string,
  path: string,
  { method = "GET", headers = {}, body }: HttpRequest = {},
): Promise<HttpAnswer> {
  const outgoing = request(`http://${address}${path}`, { method, headers, agent: false });
  outgoing.end(body);
  const [incoming] = await once(outgoing, "response");
  const received = await buffer(incoming);
  const { statusCode: status, headers: got, trailers } = incoming;
  return { status, headers: got, body: received, trailers };
}

/** A request over cleartext HTTP/2. */
async function overHttp2(
  address: string,
  path: string,
  { method = "GET", headers = {}, body }: HttpRequest = {},
): Promise<HttpAnswer> {
  const session = connect(`http://${address}`);
  try {
    const stream = session.request({ ":method": method, ":path": path, ...headers }, { endStream: !body });
    let trailers = {};
    stream.on("trailers", (got) => {
      trailers = got;
    });
    if (body) stream.end(body);
    const [{ ":status": status, ...got }] = await once(stream, "response");
    return { status, headers: got, body: await buffer(stream), trailers };
  } finally {
    session.destroy();
  }
}

/** Both versions, by name. */
export const VERSIONS: readonly (readonly [string, Requester])[] = [
  ["HTTP/1", overHttp1],
  ["HTTP/2", overHttp2],
];
