import type { FirstMessage } from "../../translators/translator.ts";
import type { OpenedRoute, RelayRoute } from "./route.ts";

/** Calls relayed in a row after which the next one is begun as one of them, before its first message shows. */
const SETTLED = 100;

/**
 * Two ways of the calls of a method, of which the first message tells the one. Where hardly any call is opened, calls are begun as relayed ones, and the few that
 * are not begin anew: then the upstream sees a stream that is reset before anything came on it, at most one in a hundred, as servers hang up on
 * peers that do so often.
 */
export class ByMessage {
  readonly relayed: RelayRoute;
  private readonly opened: OpenedRoute;
  private readonly opens: (first: FirstMessage) => boolean;
  private inARow = 0;

  constructor(opened: OpenedRoute, relayed: RelayRoute, opens: (first: FirstMessage) => boolean) {
    this.opened = opened;
    this.relayed = relayed;
    this.opens = opens;
  }

  /** Whether calls are to be begun as relayed ones. */
  get settled(): boolean {
    return this.inARow >= SETTLED;
  }

  /** The way of a call; `first` is null for a message that cannot be read before it is opened. */
  choose(first: FirstMessage | null): OpenedRoute | RelayRoute {
    if (first === null || this.opens(first)) {
      this.unsettle();
      return this.opened;
    }
    this.inARow++;
    return this.relayed;
  }

  /** A call that was begun as a relayed one has to begin anew: its way is not known, and the next ones wait for their first messages. */
  unsettle(): null {
    this.inARow = 0;
    return null;
  }
}
