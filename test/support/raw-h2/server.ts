import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import * as h2 from "./frames.ts";
import { type PeerOptions, RawPeer } from "./peer.ts";

const PATIENCE_MS = 5_000;

/** An upstream made of raw frames. */
export interface RawServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** Every connection accepted so far, oldest first. */
  readonly peers: RawPeer[];
  /** The first connection that no call of `nextPeer` has returned yet, now or when it comes; rejects when none comes for five seconds. */
  nextPeer(): Promise<RawPeer>;
  /** Connections that have come and were not asked for will not be returned by `nextPeer`. */
  forgetPeers(): void;
  /** Closes the listener and every connection. */
  close(): Promise<void>;
}

/**
 * Listens on the loopback, on an ephemeral port unless told which. `onPeer` is told of each connection before anything is read from it; unless it returns
 * false, an empty SETTINGS frame is sent.
 */
export async function startRawServer(
  onPeer: (peer: RawPeer) => unknown = () => {},
  options: PeerOptions = {},
  port = 0,
): Promise<RawServer> {
  const peers: RawPeer[] = [];
  const unclaimed: RawPeer[] = [];
  const waiting: ((peer: RawPeer) => void)[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    const peer = new RawPeer(socket, options, h2.PREFACE);
    peers.push(peer);
    if (onPeer(peer) !== false) peer.send(h2.settings());
    const waiter = waiting.shift();
    if (waiter === undefined) unclaimed.push(peer);
    else waiter(peer);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    peers,
    nextPeer() {
      const peer = unclaimed.shift();
      if (peer !== undefined) return Promise.resolve(peer);
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error("no connection to the upstream came")), PATIENCE_MS);
        waiting.push((next) => {
          clearTimeout(late);
          resolve(next);
        });
      });
    },
    forgetPeers() {
      unclaimed.length = 0;
    },
    async close() {
      for (const peer of peers) peer.close();
      server.close();
      await once(server, "close");
    },
  };
}
