import { createLog, type Log } from "../../src/observe/log.ts";

/** One line of the log. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly reason?: string;
}

/** A log that keeps its lines, for tests of what it says. */
export class RecordingLog {
  readonly lines: LogLine[] = [];
  readonly log: Log;
  private waiting: { readonly msg: RegExp; resolve(line: LogLine): void }[] = [];

  constructor() {
    this.log = createLog({ level: "trace", pretty: false }, { write: (line) => this.add(JSON.parse(line)) });
  }

  /** The first line whose message matches, written already or still to come. */
  line(msg: RegExp): Promise<LogLine> {
    const known = this.lines.find((line) => msg.test(line.msg));
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve) => this.waiting.push({ msg, resolve }));
  }

  private add(line: LogLine): void {
    this.lines.push(line);
    for (const { msg, resolve } of this.waiting) if (msg.test(line.msg)) resolve(line);
    this.waiting = this.waiting.filter(({ msg }) => !msg.test(line.msg));
  }
}
