import type { Core } from "./core.ts";
import { UpstreamLink } from "./upstream-link.ts";
import type { UpstreamTarget } from "./upstream-target.ts";

/** The links of one client connection: each upstream's are made when first needed. */
export class Links {
  private readonly core: Core;
  private readonly relayed = new Map<UpstreamTarget, UpstreamLink>();
  private readonly bridges = new Map<UpstreamTarget, UpstreamLink>();
  /** The one that was asked for last: most bridges have one upstream. */
  private last: UpstreamLink | null = null;

  constructor(core: Core) {
    this.core = core;
  }

  /** For calls that are relayed. */
  relay(upstream: UpstreamTarget): UpstreamLink {
    if (this.last?.upstream === upstream) return this.last;
    this.last = this.link(this.relayed, upstream);
    return this.last;
  }

  /** For calls of the bridge's own, which never wait behind the client's long streams. */
  own(upstream: UpstreamTarget): UpstreamLink {
    return this.link(this.bridges, upstream);
  }

  /** The client is gone: ends all connections. */
  close(): void {
    for (const link of [...this.relayed.values(), ...this.bridges.values()]) link.close();
  }

  private link(links: Map<UpstreamTarget, UpstreamLink>, upstream: UpstreamTarget): UpstreamLink {
    let link = links.get(upstream);
    if (link === undefined) {
      link = new UpstreamLink(this.core, upstream);
      links.set(upstream, link);
    }
    return link;
  }
}
