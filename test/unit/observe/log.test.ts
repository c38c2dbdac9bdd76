import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { createLog, logRefusal } from "../../../src/observe/log.ts";
import { prettyLine } from "../../../src/observe/pretty-line.ts";

type Line = Record<string, unknown>;

function capture(): { log: ReturnType<typeof createLog>; lines: Line[] } {
  const lines: Line[] = [];
  const sink = { write: (line: string) => void lines.push(JSON.parse(line) as Line) };
  return { log: createLog({ level: "info", pretty: false }, sink), lines };
}

test("secrets never appear, however the line was made", () => {
  const { log, lines } = capture();
  const secrets = { authorization: "Bearer hunter2", cookie: "hunter2", "x-api-key": "hunter2" };
  log.info(secrets, "at the top");
  log.info({ headers: secrets }, "below");
  log.info({ call: { headers: secrets } }, "further below");
  log.child(secrets).info("as a binding");
  assert.equal(lines.length, 4);
  assert.ok(!JSON.stringify(lines).includes("hunter2"));
  assert.equal(JSON.stringify(lines).match(/\[secret\]/g)?.length, 12);
});

test("a refused call is one warning with what happened", () => {
  const { log, lines } = capture();
  logRefusal(log, { method: "/s/M", code: 14, reason: "upstream h:1 is down", client: "127.0.0.1:5" });
  assert.equal(lines.length, 1);
  const { time, pid, ...rest } = lines[0]!;
  assert.ok(!Number.isNaN(Date.parse(time as string)));
  assert.equal(pid, process.pid);
  assert.deepEqual(rest, {
    level: "warn",
    method: "/s/M",
    code: 14,
    reason: "upstream h:1 is down",
    client: "127.0.0.1:5",
    msg: "call refused",
  });
});

test("what is below the level is not written", () => {
  const { log, lines } = capture();
  log.debug("hidden");
  assert.deepEqual(lines, []);
});

test("a pretty line has the time, the severity, the message, the fields and the stack", () => {
  const json = {
    level: "warn",
    time: "2026-01-02T03:04:05.678Z",
    pid: 1,
    a: "x",
    b: [1],
    c: "y z",
    msg: "hello",
  };
  assert.equal(prettyLine(JSON.stringify(json)), '03:04:05.678 warn  hello a=x b=[1] c="y z"\n');
  const failed = { ...json, err: { stack: "Error: no\n    at here" } };
  assert.equal(
    prettyLine(JSON.stringify(failed)),
    '03:04:05.678 warn  hello a=x b=[1] c="y z"\n  Error: no\n    at here\n',
  );
});

for (const pretty of [false, true]) {
  test(`warnings go to the standard error, the rest to the standard output (pretty: ${pretty})`, () => {
    const module = new URL("../../../src/observe/log.ts", import.meta.url).href;
    const script = `
      import { createLog } from ${JSON.stringify(module)};
      const log = createLog({ level: "info", pretty: ${pretty} });
      log.info("fine"); log.warn("odd"); log.error("bad"); process.exit(0);`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    const words = (text: string) => text.match(/fine|odd|bad/g);
    assert.deepEqual([words(stdout), words(stderr)], [["fine"], ["odd", "bad"]]);
  });
}
