import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { shippedProfiles } from "../../src/peers/read-profile.ts";
import type { BalancerName } from "./support/balancer.ts";
import { BAZELS, type Bazel, type BazelVersion, type Build, isFull } from "./support/bazel.ts";
import type { BridgeProcess } from "./support/bridge.ts";
import { startPlayedServer } from "./support/embedded.ts";
import { scratch } from "./support/folder.ts";
import { amid } from "./support/interrupt.ts";
import { comparable, fromServer, localBuilds, TARGETS } from "./support/local-builds.ts";
import { Replicas } from "./support/replicas.ts";

const EXECUTE = "/build.bazel.remote.execution.v2.Execution/Execute";
const WAIT_EXECUTION = "/build.bazel.remote.execution.v2.Execution/WaitExecution";

type Cell = readonly [version: BazelVersion, server: string, balancer: BalancerName];

/** The core of this test: the newest Bazel at the newest server, and the oldest at the oldest. */
const CORE: readonly Cell[] = [
  ["4.2.3", "buildbarn@2026-03-26", "nginx"],
  ["0.17.2", "buildfarm@1.17", "haproxy"],
];
const SERVERS = ["buildbarn@2026-03-26", "buildfarm@1.17", "buildgrid@2019-12"];
const BALANCERS: readonly BalancerName[] = ["nginx", "haproxy"];
/** With `E2E=full` every Bazel at every server, and every server behind either balancer. */
const CELLS: readonly Cell[] = isFull
  ? BAZELS.flatMap((version, v) =>
      SERVERS.map((server, s): Cell => [version, server, BALANCERS[(v + s) % 2]!]),
    )
  : CORE;

const local = localBuilds();
const folder = scratch();

for (const cell of CELLS) {
  const [version, server, balancer] = cell;
  const name = `Bazel ${version} at ${server} behind three bridges and ${balancer}`;

  test(`${name}: builds what it builds alone, and finds all of it in the cache`, async (t) => {
    const { bazel, build, expected, replicas } = await prepare(t, cell);
    const first = await build(...TARGETS);
    assert.equal(first.code, 0, first.output);
    const ran = first.actions.get("remote") ?? 0;
    assert.ok(ran >= 15, first.output);
    assert.deepEqual(comparable(bazel.outputs()), expected);
    assert.equal(await replicas.calls(EXECUTE), ran);

    for (const flags of [[], ["--expunge"]] as const) {
      await bazel.clean(...flags);
      const again = await build(...TARGETS);
      assert.equal(again.code, 0, again.output);
      assert.equal(again.actions.get("remote cache hit"), ran, again.output);
      assert.equal(again.actions.get("remote"), undefined, again.output);
      assert.deepEqual(comparable(bazel.outputs()), expected);
    }
    assert.equal(await replicas.calls(EXECUTE), ran);

    // The balancer deals out calls, not connections: each has about a third of them.
    const shares = await replicas.shares();
    assert.ok(Math.min(...shares) > 0.8 * Math.max(...shares), `${shares}`);
  });

  test(`${name}: an execution goes on at another bridge when the one that serves it is killed, and then that one`, async (t) => {
    const { build, replicas } = await prepare(t, cell);
    const gate = join(folder, `${version}-${server}-gate`);
    mkdirSync(gate);
    const built = build(`--action_env=GATE=${gate}`, "//gate");
    await amid(built, async () => existsSync(join(gate, "runs")));

    for (const _ of ["the one that serves Execute", "the one that took over"])
      await replicas.kill(await replicas.serving());
    await replicas.serving();
    writeFileSync(join(gate, "open"), "");
    const { code, output, actions } = await built;
    assert.equal(code, 0, output);
    assert.equal(actions.get("remote"), 1, output);

    // What the last one was asked for, which nobody had told of this execution.
    assert.equal(await replicas.calls(WAIT_EXECUTION), 1);
    assert.equal(await replicas.calls(EXECUTE), 0);
    assert.equal(readFileSync(join(gate, "runs"), "utf8"), "runs\n", "the action ran once");
  });

  test(`${name}: ends its build when one bridge is killed and another is stopped and comes back`, async (t) => {
    const { bazel, build, expected, replicas } = await prepare(t, cell);
    const [killed, restarted] = replicas.bridges as [BridgeProcess, BridgeProcess];
    // The build is not over before the bridge that comes back has had its turn.
    const gate = join(folder, `${version}-${server}-interrupted`);
    mkdirSync(gate);
    const all = [`--action_env=GATE=${gate}`, "//gate:after", ...TARGETS];
    const outputs = () => comparable(bazel.outputs()).filter((line) => !line.includes("/gate"));
    const built = build(...all);
    await executions(built, replicas, 3);
    await replicas.kill(killed);
    await executions(built, replicas, 3);
    await replicas.restart(restarted);
    await amid(built, async () => {
      await replicas.ask();
      return (await restarted.callsBegun()) > 0;
    });
    const before = await restarted.callsBegun();
    writeFileSync(join(gate, "open"), "");
    const { code, output } = await built;
    assert.equal(code, 0, output);
    assert.deepEqual(outputs(), expected);
    assert.ok((await restarted.callsBegun()) > before, "the bridge that came back was used");

    await bazel.clean();
    const again = await build(...all);
    assert.equal(again.code, 0, again.output);
    assert.equal(again.actions.get("remote"), undefined, again.output);
    assert.deepEqual(outputs(), expected);
  });
}

/** A cell set up: nothing is built, and nothing stored. */
interface Prepared {
  readonly bazel: Bazel;
  /** Builds at the server, through the balancer and one of the bridges. */
  readonly build: (...args: readonly string[]) => Promise<Build>;
  /** What has to come of `TARGETS`. */
  readonly expected: readonly string[];
  readonly replicas: Replicas;
}

async function prepare(t: TestContext, [version, server, balancer]: Cell): Promise<Prepared> {
  const { service, address } = await startPlayedServer(server);
  t.after(() => service.end("SIGTERM"));
  const replicas = await Replicas.start(balancer, address, mkdtempSync(join(folder, "balancer-")));
  t.after(() => replicas.stop());
  const { bazel, outputs } = await local(version, folder);
  await bazel.clean();
  const { outputLinks } = shippedProfiles().resolve("server", server).facts;
  const flags = [
    ...bazel.remote(replicas.address),
    ...bazel.platform("OSFamily", "linux"),
    "--verbose_failures",
  ];
  return {
    bazel,
    build: (...args) => bazel.build(...flags, ...args),
    expected: fromServer(outputs, version, true, outputLinks?.are === "followed"),
    replicas,
  };
}

/** Waits for so many further executions to end, at the bridges that run. */
async function executions(build: Promise<Build>, replicas: Replicas, further: number): Promise<void> {
  const before = await replicas.calls(EXECUTE);
  await amid(build, async () => (await replicas.calls(EXECUTE)) >= before + further);
}
