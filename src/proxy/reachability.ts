import type { Readiness } from "../observe/admin.ts";
import type { UpstreamTarget } from "./upstream-target.ts";

/** How long an answer counts, in milliseconds. */
const FRESH = 2_000;

/** Whether all upstreams take connections, found out when somebody asks: nobody asking costs them nothing. */
export class Reachability {
  private readonly upstreams: readonly UpstreamTarget[];
  private answer: Readiness;
  private asked = Date.now();

  /** `answer` holds until the first look. */
  constructor(upstreams: readonly UpstreamTarget[], answer: Readiness) {
    this.upstreams = upstreams;
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
    this.answer = allOf(await Promise.all(this.upstreams.map(lookAt)));
  }
}

/** The answer for several: the first that is not well counts. */
export function allOf(answers: readonly Readiness[]): Readiness {
  const ill = answers.find(({ ok }) => !ok);
  return ill ?? { ok: true, reason: answers.map(({ reason }) => reason).join("; ") };
}

async function lookAt(upstream: UpstreamTarget): Promise<Readiness> {
  const { display } = upstream;
  try {
    const reader = await upstream.dial();
    reader.socket.on("error", () => {});
    reader.socket.destroy();
    return { ok: true, reason: `the upstream ${display} takes connections` };
  } catch (error) {
    return { ok: false, reason: `cannot reach the upstream ${display}: ${(error as Error).message}` };
  }
}
