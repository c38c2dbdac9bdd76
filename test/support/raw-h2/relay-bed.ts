import { cleanUp } from "../clean-up.ts";
import { type BridgeSettings, type RunningBridge, startBridge } from "./bridge.ts";
import { connectRaw, request } from "./client.ts";
import { nothingLeft } from "./counters.ts";
import { serveEcho } from "./echo.ts";
import { type Frame, Type } from "./frames.ts";
import type { Header } from "./hpack.ts";
import type { PeerOptions, RawPeer } from "./peer.ts";
import { type RawServer, startRawServer } from "./server.ts";

/** Both ends of one client connection through a bridge: the client, and the upstream connection that was opened for it. */
export interface RelayPair {
  readonly client: RawPeer;
  readonly upstream: RawPeer;
}

/** A bridge whose two ends are both played by the test, frame by frame. */
export class RelayBed {
  readonly bridge: RunningBridge;
  private readonly server: RawServer;
  private readonly clients: RawPeer[] = [];
  private serve: (peer: RawPeer) => unknown;

  private constructor(
    server: RawServer,
    bridge: RunningBridge,
    serve: (serve: (peer: RawPeer) => unknown) => void,
  ) {
    this.server = server;
    this.bridge = bridge;
    this.serve = () => {};
    serve((peer) => this.serve(peer));
  }

  /** Starts the bridge. Its greeting is answered by an echo; from then on the upstream does nothing by itself but what `PeerOptions` say. */
  static async start(settings: BridgeSettings = {}): Promise<RelayBed> {
    let serve: (peer: RawPeer) => unknown = serveEcho;
    const server = await startRawServer((peer) => serve(peer));
    const bridge = await startBridge(server.address, settings);
    await server.nextPeer();
    return new RelayBed(server, bridge, (next) => {
      serve = next;
    });
  }

  /** What the upstream does with each connection before anything is read from it; returning false keeps its SETTINGS back. */
  onUpstream(serve: (peer: RawPeer) => unknown): void {
    this.serve = serve;
  }

  /** Connects a client that has not called yet. */
  async client(options: PeerOptions = {}, settings: [number, number][] = []): Promise<RawPeer> {
    const client = await connectRaw(this.bridge.address, options, settings);
    this.clients.push(client);
    return client;
  }

  /** The next connection the bridge opens to the upstream. */
  upstream(): Promise<RawPeer> {
    return this.server.nextPeer();
  }

  /** Connects a client that makes a call on stream 1, and waits until the upstream has its head. */
  async pair(headers: Header[] = request(), flags = 0): Promise<RelayPair> {
    const client = await this.client();
    this.server.forgetPeers();
    client.sendHeaders(1, headers, flags);
    const upstream = await this.upstream();
    await headOf(upstream, 1);
    return { client, upstream };
  }

  /** Ends every connection, checks that the bridge has nothing left of them, and ends it. */
  async stop(): Promise<void> {
    for (const client of this.clients) client.close();
    await cleanUp(
      () => nothingLeft(this.bridge),
      () => this.bridge.stop(),
      () => this.closeUpstream(),
    );
  }

  /** Closes the upstream and its connections. */
  closeUpstream(): Promise<void> {
    return this.server.close();
  }
}

/** The first header list that `peer` gets on `stream`, with its frame. */
export async function headOf(peer: RawPeer, stream: number): Promise<Frame & { headers: Header[] }> {
  const frame = await peer.waitFor(
    `the head of stream ${stream}`,
    (f) => f.type === Type.HEADERS && f.stream === stream && f.headers !== undefined,
  );
  return frame as Frame & { headers: Header[] };
}
