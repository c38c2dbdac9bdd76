import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { codec } from "../../../src/spec/codec.ts";
import { enums } from "../../../src/spec/generated/enums.ts";
import { readPreconditionFailure } from "../../../src/wire/error-details.ts";
import { blobDigest, metadataOf, Workshop } from "./execution-support.ts";

const { CACHE_CHECK, QUEUED, EXECUTING, COMPLETED } = enums.ExecutionStage;

/** A directory outside every action, where a script can be watched and told to go on. */
async function outside(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "execution-outside-"));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

/** A script that says it runs, by a line in `begun`, and ends when `go` is there. */
const waits = (at: string) => `echo x >> ${at}/begun; while [ ! -e ${at}/go ]; do sleep 0.01; done`;

/** Waits for what shows only in the file system or the process table. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function linesOf(path: string): Promise<number> {
  return (await readFile(path, "utf8").catch(() => "")).split("\n").length - 1;
}

test("stdout, stderr and the exit code come back", async (t) => {
  const workshop = await Workshop.open(t);
  const result = await workshop.result({ run: "echo out; echo err >&2; exit 7" });
  assert.equal(await workshop.text(result.stdoutDigest), "out\n");
  assert.equal(await workshop.text(result.stderrDigest), "err\n");
  assert.equal(result.exitCode, 7);
  assert.equal(result.stdoutRaw.length, 0);
  const silent = await workshop.result({ run: "true" });
  assert.deepEqual([silent.stdoutDigest, silent.stderrDigest], [null, null]);
});

test("a command that a signal ends has 128 and its number as exit code", async (t) => {
  const workshop = await Workshop.open(t);
  assert.equal((await workshop.result({ run: "kill -TERM $$" })).exitCode, 143);
});

test("large outputs of a command are stored whole", async (t) => {
  const workshop = await Workshop.open(t);
  const { stdoutDigest } = await workshop.result({ run: "head -c 5000000 /dev/zero" });
  assert.equal(stdoutDigest?.sizeBytes, 5_000_000n);
});

test("the stages of an execution, and what is known of it at the end", async (t) => {
  const workshop = await Workshop.open(t);
  const at = await outside(t);
  const operation = await workshop.start({ run: waits(at) });
  const stages: number[] = [];
  for await (const state of operation.updates()) {
    assert.equal(state.name, operation.name);
    const { stage, actionDigest } = metadataOf(state);
    assert.match(actionDigest?.hash ?? "", /^[0-9a-f]{64}$/);
    assert.equal(state.done, stage === COMPLETED);
    stages.push(stage);
    if (stage === EXECUTING) await writeFile(join(at, "go"), "");
  }
  assert.deepEqual(stages, [CACHE_CHECK, QUEUED, EXECUTING, COMPLETED]);
  const { result } = await workshop.end(operation);
  const times = result?.executionMetadata;
  assert.equal(times?.worker, "embedded");
  const order = [
    times?.queuedTimestamp,
    times?.workerStartTimestamp,
    times?.inputFetchStartTimestamp,
    times?.inputFetchCompletedTimestamp,
    times?.executionStartTimestamp,
    times?.executionCompletedTimestamp,
    times?.outputUploadStartTimestamp,
    times?.outputUploadCompletedTimestamp,
    times?.workerCompletedTimestamp,
  ].map((time) => Number(time?.seconds) * 1000 + (time?.nanos ?? Number.NaN) / 1e6);
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  );
  assert((times?.virtualExecutionDuration?.nanos ?? 0) > 0);
  assert.equal(metadataOf(operation.current()).partialExecutionMetadata?.worker, "embedded");
  assert.equal(metadataOf(operation.current()).digestFunction, enums.DigestFunction.SHA256);
});

test("metadata has no more than the level has", async (t) => {
  const workshop = await Workshop.open(t, { level: "2.2" });
  const operation = await workshop.start({ run: "true" });
  const { result } = await workshop.end(operation);
  assert.equal(result?.executionMetadata?.virtualExecutionDuration, null);
  assert.equal(metadataOf(operation.current()).partialExecutionMetadata, null);
  assert.equal(metadataOf(operation.current()).digestFunction, 0);
});

test("a timeout ends the whole process group with DEADLINE_EXCEEDED and what was printed by then", async (t) => {
  const workshop = await Workshop.open(t);
  const at = await outside(t);
  const { status, result } = await workshop.run({
    run: `echo early; sh -c 'echo $$ > ${at}/pid; sleep 60' & wait`,
    action: { timeout: { seconds: 0n, nanos: 300_000_000 } },
  });
  assert.equal(status?.code, 4);
  assert.match(status?.message ?? "", /longer than its timeout of 0.3 s/);
  assert.equal(await workshop.text(result?.stdoutDigest ?? null), "early\n");
  const pid = Number(await readFile(join(at, "pid"), "utf8"));
  await until(() => !isRunning(pid));
});

test("what a command leaves in the background is killed when it ends", async (t) => {
  const workshop = await Workshop.open(t);
  const pid = Number(await workshop.output({ run: "sleep 60 & echo $!" }));
  assert(pid > 1);
  await until(() => !isRunning(pid));
});

test("timeouts that are negative or longer than a day are refused", async (t) => {
  const workshop = await Workshop.open(t);
  for (const seconds of [-1n, 86_401n]) {
    const { status } = await workshop.run({ run: "true", action: { timeout: { seconds } } });
    assert.equal(status?.code, 3);
    assert.match(status?.message ?? "", /^timeout: /);
  }
});

test("a cached result is returned without running the action again", async (t) => {
  const workshop = await Workshop.open(t);
  const at = await outside(t);
  const action = { run: `echo x >> ${at}/runs; echo done` };
  const first = await workshop.run(action);
  const second = await workshop.run(action);
  assert.deepEqual([first.cachedResult, second.cachedResult], [false, true]);
  assert.deepEqual(second.result, first.result);
  assert.equal(await linesOf(join(at, "runs")), 1);
  const third = await workshop.run(action, { skipCacheLookup: true });
  assert.equal(third.cachedResult, false);
  assert.equal(await linesOf(join(at, "runs")), 2);
  const elsewhere = await workshop.run(action, { instanceName: "other" });
  assert.equal(elsewhere.cachedResult, false);
});

test("a cached result counts, since 2.0, only while all its blobs are there", async (t) => {
  for (const [level, cachedResult] of [
    ["2018-11", true],
    ["2.0", false],
  ] as const) {
    const workshop = await Workshop.open(t, { level });
    const actionDigest = await workshop.action({ run: "echo out > out", command: { outputFiles: ["out"] } });
    const lost = { hash: "0".repeat(64), sizeBytes: 4n };
    const bytes = codec().encode("build.bazel.remote.execution.v2.ActionResult", {
      outputFiles: [{ path: "out", digest: lost }],
    });
    await workshop.actionCache.put("", blobDigest(actionDigest), bytes);
    const operation = workshop.executor.execute(workshop.request({ actionDigest }));
    assert.equal((await workshop.end(operation)).cachedResult, cachedResult, level);
  }
});

test("failed commands, failed executions and what is not to be cached stay out of the cache", async (t) => {
  const workshop = await Workshop.open(t);
  for (const action of [
    { run: "exit 1" },
    { run: "mkfifo out", command: { outputPaths: ["out"] } },
    { run: "true", action: { doNotCache: true } },
  ]) {
    const actionDigest = await workshop.action(action);
    await workshop.run(action);
    assert.equal(await workshop.actionCache.get("", blobDigest(actionDigest)), null);
    assert.equal((await workshop.run(action)).cachedResult, false);
  }
});

test("equal actions at the same time share one run, and each caller gets what it asked for", async (t) => {
  const workshop = await Workshop.open(t);
  const at = await outside(t);
  const action = { run: `${waits(at)}; echo shared > out`, command: { outputPaths: ["out"] } };
  const plain = await workshop.start(action);
  const inlined = await workshop.start(action, { inlineOutputFiles: ["out"], skipCacheLookup: true });
  for (const operation of [plain, inlined]) await workshop.reach(operation, EXECUTING);
  await writeFile(join(at, "go"), "");
  const [first, second] = await Promise.all([workshop.end(plain), workshop.end(inlined)]);
  assert.equal(await linesOf(join(at, "begun")), 1);
  assert.notEqual(plain.name, inlined.name);
  assert.equal(first.result?.outputFiles[0]?.contents.length, 0);
  assert.equal(Buffer.from(second.result?.outputFiles[0]?.contents ?? []).toString(), "shared\n");
  assert.deepEqual(second.result?.outputFiles[0]?.digest, first.result?.outputFiles[0]?.digest);
});

for (const [level, runs] of [
  ["2018-11", 1],
  ["2.0", 2],
] as const) {
  test(`two equal actions that are not to be cached run ${runs === 1 ? "once" : "each"} at ${level}`, async (t) => {
    const workshop = await Workshop.open(t, { level });
    const at = await outside(t);
    const action = { run: waits(at), action: { doNotCache: true } };
    const both = [await workshop.start(action), await workshop.start(action)];
    for (const operation of both) await workshop.reach(operation, EXECUTING);
    await until(async () => (await linesOf(join(at, "begun"))) === runs);
    await writeFile(join(at, "go"), "");
    for (const operation of both) assert.equal((await workshop.end(operation)).result?.exitCode, 0);
    assert.equal(await linesOf(join(at, "begun")), runs);
  });
}

test("no more commands run at once than there are places; the others are queued", async (t) => {
  const workshop = await Workshop.open(t, { parallelism: 1 });
  const at = await outside(t);
  const first = await workshop.start({ run: waits(at) });
  await workshop.reach(first, EXECUTING);
  const second = await workshop.start({ run: `true; ${waits(at)}` });
  await workshop.reach(second, QUEUED);
  await writeFile(join(at, "go"), "");
  await workshop.end(first);
  assert.equal((await workshop.end(second)).result?.exitCode, 0);
});

test("cancelling ends an operation with CANCELLED and its command with it", async (t) => {
  const workshop = await Workshop.open(t);
  const at = await outside(t);
  const operation = await workshop.start({ run: `echo $$ > ${at}/pid; ${waits(at)}` });
  await until(() => existsSync(join(at, "begun")));
  const pid = Number(await readFile(join(at, "pid"), "utf8"));
  operation.cancel();
  assert.equal((await workshop.end(operation)).status?.code, 1);
  await until(() => !isRunning(pid));
  operation.cancel();
  assert.equal((await workshop.end(operation)).status?.code, 1);
});

test("cancelling one of two operations leaves the other its run", async (t) => {
  const workshop = await Workshop.open(t);
  const at = await outside(t);
  const action = { run: waits(at) };
  const [one, other] = [await workshop.start(action), await workshop.start(action)];
  for (const operation of [one, other]) await workshop.reach(operation, EXECUTING);
  one.cancel();
  assert.equal((await workshop.end(one)).status?.code, 1);
  assert.equal(other.current().done, false);
  await writeFile(join(at, "go"), "");
  assert.equal((await workshop.end(other)).result?.exitCode, 0);
});

test("a queued operation that is cancelled never runs", async (t) => {
  const workshop = await Workshop.open(t, { parallelism: 1 });
  const at = await outside(t);
  const first = await workshop.start({ run: waits(at) });
  await workshop.reach(first, EXECUTING);
  const second = await workshop.start({ run: `echo > ${at}/second` });
  await workshop.reach(second, QUEUED);
  second.cancel();
  await writeFile(join(at, "go"), "");
  await workshop.end(first);
  await workshop.result({ run: "echo the place is free" });
  assert.equal(existsSync(join(at, "second")), false);
});

test("operations are found by name and listed, also when they are done", async (t) => {
  const workshop = await Workshop.open(t);
  const operation = await workshop.start({ run: "true" }, { instanceName: "farm/a" });
  await workshop.end(operation);
  assert.match(operation.name, /^farm\/a\/operations\/[0-9a-f-]{36}$/);
  assert.equal(workshop.executor.find(operation.name), operation);
  assert.equal(workshop.executor.find("operations/unknown"), undefined);
  assert.deepEqual(workshop.executor.list(), [operation]);
});

test("a reader that joins late, and one that leaves early, disturb nobody", async (t) => {
  const workshop = await Workshop.open(t);
  const operation = await workshop.start({ run: "echo x" });
  for await (const _ of operation.updates()) break;
  await workshop.end(operation);
  const late = [];
  for await (const { done } of operation.updates()) late.push(done);
  assert.deepEqual(late, [true]);
});

test("stopping kills what runs, tells its callers and takes nothing new", async (t) => {
  const workshop = await Workshop.open(t, { parallelism: 1 });
  const at = await outside(t);
  const running = await workshop.start({ run: `echo $$ > ${at}/pid; ${waits(at)}` });
  const queued = await workshop.start({ run: "true" });
  await until(() => existsSync(join(at, "begun")));
  const pid = Number(await readFile(join(at, "pid"), "utf8"));
  await workshop.executor.stop();
  for (const operation of [running, queued]) assert.equal((await workshop.end(operation)).status?.code, 14);
  await until(() => !isRunning(pid));
  const actionDigest = await workshop.action({ run: "true" });
  assert.throws(() => workshop.executor.execute(workshop.request({ actionDigest })), { code: 14 });
});

test("nothing of an action stays in the scratch directory, not even what it made unwritable", async (t) => {
  const workshop = await Workshop.open(t);
  await workshop.result({ run: "mkdir -p a/b; echo x > a/b/c; chmod 500 a/b; chmod 0 a" });
  assert.deepEqual(await readdir(workshop.scratchDir), []);
});

test("every blob that is missing is named at once", async (t) => {
  const workshop = await Workshop.open(t);
  const lost = (digit: string) => ({ hash: digit.repeat(64), sizeBytes: 5n });
  const unknown = await workshop.run({}, { actionDigest: lost("a") });
  assert.equal(unknown.status?.code, 9);
  assert.deepEqual(subjects(unknown.status?.details[0]), [`blobs/${"a".repeat(64)}/5`]);
  const inputRootDigest = await workshop.directory(
    { here: "here" },
    { files: [{ name: "f", digest: lost("b") }], directories: [{ name: "d", digest: lost("c") }] },
  );
  const both = await workshop.run({ action: { commandDigest: lost("d"), inputRootDigest } });
  assert.equal(both.status?.code, 9);
  assert.deepEqual(
    subjects(both.status?.details[0]).toSorted(),
    ["b", "c", "d"].map((digit) => `blobs/${digit.repeat(64)}/5`),
  );
  assert.equal(both.result, null);
});

test("requests, Actions and Commands that make no sense are refused", async (t) => {
  const workshop = await Workshop.open(t);
  for (const actionDigest of [null, { hash: "", sizeBytes: 0n }, { hash: "A".repeat(64), sizeBytes: 1n }]) {
    assert.throws(() => workshop.executor.execute(workshop.request({ actionDigest })), { code: 3 });
  }
  const garbage = await workshop.put(Buffer.from([0xff, 0xff, 0xff]));
  const actions = [
    [{ action: { commandDigest: null } }, /command_digest/],
    [{ action: { commandDigest: garbage } }, /not a valid .*Command/],
    [{ run: "true", action: { inputRootDigest: garbage } }, /not a valid .*Directory/],
    [{ command: { arguments: [] } }, /^arguments: /],
    [
      { run: "true", command: { environmentVariables: [{ name: "A=B", value: "" }] } },
      /^environment_variables: /,
    ],
    [{ run: "true", command: { environmentVariables: [{ name: "A" }, { name: "A" }] } }, /A is there twice/],
    [{ command: { arguments: ["/bin/echo", "a\0b"] } }, /zero byte/],
    [{ command: { arguments: ["/nowhere/at/all"] } }, /there is no program "\/nowhere\/at\/all"/],
    [
      { command: { arguments: ["./tool"] }, inputs: { tool: { executable: "#!/nowhere/interpreter\n" } } },
      /the program cannot be started: .*ENOENT/,
    ],
    [
      { command: { arguments: ["/bin/sh", "-c", "true", "x".repeat(200_000)] } },
      /the program cannot be started: .*E2BIG/,
    ],
    [{ run: "true", inputs: { ["n".repeat(300)]: "x" } }, /path is longer than this machine allows/],
    [{ command: { arguments: ["/bin"] } }, /there is no program "\/bin"/],
  ] as const;
  for (const [action, message] of actions) {
    const { status, result } = await workshop.run(action);
    assert.match(status?.message ?? "", message);
    assert.equal(status?.code, 3);
    assert.equal(result, null);
  }
  const operation = workshop.executor.execute(workshop.request({ actionDigest: garbage }));
  assert.equal((await workshop.end(operation)).status?.code, 3);
});

test("where the program of a command is looked for, before and since 2.3", async (t) => {
  const script = { executable: "#!/bin/sh\necho $0\n" };
  const inputs = {
    tool: script,
    work: { directory: { tool: script, bin: { directory: { only: script } } } },
  };
  const cases = [
    ["2.2", "tool", undefined, "root"],
    ["2.2", "work/bin/only", undefined, "root"],
    ["2.2", "sh", undefined, null],
    ["2.3", "./tool", undefined, "work"],
    ["2.3", "../tool", undefined, "root"],
    ["2.3", "bin/only", undefined, "work"],
    ["2.3", "only", "/nowhere:bin", "work"],
    ["2.3", "true", undefined, "system"],
    ["2.3", "true", "/nowhere", null],
  ] as const;
  for (const [level, program, path, found] of cases) {
    const workshop = await Workshop.open(t, { level });
    const environmentVariables = path === undefined ? [] : [{ name: "PATH", value: path }];
    const command = { arguments: [program], environmentVariables, workingDirectory: "work" };
    const { status } = await workshop.run({ command, inputs });
    assert.equal(status?.code ?? 0, found === null ? 3 : 0, `${program} at ${level}: ${status?.message}`);
  }
});

test("a program sees the name it was called by", async (t) => {
  const workshop = await Workshop.open(t);
  const command = { arguments: ["sh", "-c", "cat /proc/$$/cmdline | tr '\\0' ' '"] };
  assert.match(await workshop.output({ command }), /^sh -c /);
});

test("platforms: the one of the Action counts, where the level has it", async (t) => {
  const other = { properties: [{ name: "OSFamily", value: "plan9" }] };
  const here = {
    properties: [
      { name: "OSFamily", value: "Linux" },
      { name: "container-image", value: "any" },
    ],
  };
  for (const [level, command, action, code] of [
    ["2018-11", other, undefined, 0],
    ["2.0", other, undefined, 9],
    ["2.0", here, other, 0],
    ["2.2", here, other, 9],
    ["2.2", other, here, 0],
    ["2.2", other, {}, 0],
    ["2.2", other, undefined, 9],
  ] as const) {
    const workshop = await Workshop.open(t, { level, client: "main" });
    const { status } = await workshop.run({
      run: "true",
      command: { platform: command },
      action: { platform: action },
    });
    assert.equal(status?.code ?? 0, code, `${level}: ${status?.message}`);
  }
});

test("streams are inlined: before 2.0 if they are short, since 2.9 if the request says so", async (t) => {
  const run = "echo out; echo err >&2";
  const old = await Workshop.open(t, { level: "2018-11" });
  const early = await old.result({ run });
  assert.deepEqual([Buffer.from(early.stdoutRaw).toString(), early.stdoutDigest], ["out\n", null]);
  const long = await old.result({ run: "head -c 100000 /dev/zero" });
  assert.deepEqual([long.stdoutRaw.length, long.stdoutDigest?.sizeBytes], [0, 100_000n]);
  for (const [level, inlined] of [
    ["2.8", ""],
    ["2.9", "err\n"],
  ] as const) {
    const workshop = await Workshop.open(t, { level });
    const result = await workshop.result({ run }, { inlineStderr: true });
    assert.equal(Buffer.from(result.stderrRaw).toString(), inlined);
    assert.equal(result.stdoutRaw.length, 0);
    assert.equal(await workshop.text(result.stderrDigest), "err\n");
    const again = await workshop.run({ run }, { inlineStdout: true });
    assert.equal(again.cachedResult, true);
    assert.equal(Buffer.from(again.result?.stdoutRaw ?? []).toString(), inlined === "" ? "" : "out\n");
  }
});

function subjects(detail: { typeUrl: string; value: Uint8Array } | undefined): string[] {
  assert.equal(detail?.typeUrl, "type.googleapis.com/google.rpc.PreconditionFailure");
  return readPreconditionFailure(Buffer.from(detail?.value ?? [])).map(({ type, subject }) => {
    assert.equal(type, "MISSING");
    return subject;
  });
}

/** Whether a process lives; one that has ended but that nobody has waited for yet does not. */
function isRunning(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}
