import type { Readiness } from "../observe/admin.ts";
import type { UpstreamTarget } from "./upstream-target.ts";

/** How long an answer counts, in milliseconds. */
const FRESH = 2_000;

/** Whether the upstream takes connections, found out when somebody asks: nobody asking costs the upstream nothing. */
export class Reachability {
  private readonly upstream: UpstreamTarget;
  private answer: Readiness;
  private asked = Date.now();

  /** `answer` holds until the first look. */
  constructor(upstream: UpstreamTarget, answer: Readiness) {
    this.upstream = upstream;
    this.answer = answer;
  }

  /** The latest answer; if it is old, a new look begins and the next call has its result. */
  ask(): Readiness {
    if (Date.now() - this.asked > FRESH) {
      this.asked = Date.now();
      void this.look();
    }
    return this.answer;
  }

  private async look(): Promise<void> {
    const { display } = this.upstream;
    try {
      const reader = await this.upstream.dial();
      reader.socket.on("error", () => {});
      reader.socket.destroy();
      this.answer = { ok: true, reason: `the upstream ${display} takes connections` };
    } catch (error) {
      this.answer = {
        ok: false,
        reason: `cannot reach the upstream ${display}: ${(error as Error).message}`,
      };
    }
  }
}
