import { serveEcho } from "./raw-h2/echo.ts";
import type { RawPeer } from "./raw-h2/peer.ts";
import { type RawServer, startRawServer } from "./raw-h2/server.ts";

/**
 * A raw upstream whose first connection, that of the bridge's probe at its start, is answered, so that starting takes no time.
 * `onPeer` is told of the others, as by `startRawServer`; `nextPeer` returns those only.
 */
export async function startAfterProbe(onPeer: (peer: RawPeer) => unknown = () => {}): Promise<RawServer> {
  let probed = false;
  const upstream = await startRawServer((peer) => {
    if (probed) return onPeer(peer);
    probed = true;
    serveEcho(peer);
    return true;
  });
  void upstream.nextPeer();
  return upstream;
}
