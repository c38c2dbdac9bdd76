import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { startEmbedded } from "../../src/embedded/server.ts";
import { codec } from "../../src/spec/codec.ts";
import { LEVELS as ALL } from "../../src/spec/versions.ts";
import { FieldWriter } from "../../src/wire/field-writer.ts";
import { Walker } from "../../src/wire/walker.ts";
import { client, plan, server, steps, transformed } from "../translators/support.ts";
import { BAZELS, Bazel, LEVELS } from "./support/bazel.ts";
import { scratch } from "./support/folder.ts";

// What real Bazels write into the store survives being taken apart and put together (R1), and rewriting where nothing differs.

const V2 = "build.bazel.remote.execution.v2";
const folder = scratch();

/** The messages of all actions in a store on disk. */
function* actionsIn(dir: string) {
  const read = ({ hash, sizeBytes }: { hash: string; sizeBytes: bigint }): Buffer => {
    const [path] = globSync(join(dir, "cas/**", `${hash}-${sizeBytes}`));
    return path === undefined ? Buffer.alloc(0) : readFileSync(path);
  };
  for (const path of globSync(join(dir, "ac/**/*-*"))) {
    const [hash, size] = path.slice(path.lastIndexOf("/") + 1).split("-") as [string, string];
    const action = read({ hash, sizeBytes: BigInt(size) });
    const { commandDigest, inputRootDigest } = codec().decode(`${V2}.Action`, action);
    const directories: Buffer[] = [];
    const left = [inputRootDigest!];
    for (let digest = left.pop(); digest !== undefined; digest = left.pop()) {
      const bytes = read(digest);
      directories.push(bytes);
      for (const child of codec().decode(`${V2}.Directory`, bytes).directories) left.push(child.digest!);
    }
    const { outputDirectories } = codec().decode(`${V2}.ActionResult`, readFileSync(path));
    const trees = outputDirectories.map(({ treeDigest }) => read(treeDigest!));
    yield { action, command: read(commandDigest!), directories, trees };
  }
}

/** The message taken apart into fields and written again. */
function rewritten(message: Buffer): Buffer {
  const out = new FieldWriter();
  const field = new Walker(message);
  while (field.next()) out.copy(field);
  return out.toBuffer();
}

for (const version of BAZELS) {
  test(`what Bazel ${version} writes survives the walker and the writer`, async (t) => {
    const dir = join(folder, version, "store");
    const level = LEVELS[version];
    const embedded = await startEmbedded({ listen: { kind: "tcp", host: "127.0.0.1", port: 0 }, dir, level });
    t.after(() => embedded.stop());
    const bazel = new Bazel(version, join(folder, version, "work"), folder);
    const { code, output } = await bazel.build(...bazel.remote(embedded.address), "//...");
    assert.equal(code, 0, output);
    let seen = 0;
    for (const { action, command, directories, trees } of actionsIn(dir)) {
      for (const bytes of [action, command, ...directories, ...trees]) {
        assert.deepEqual(rewritten(bytes), bytes);
        seen++;
      }
      for (const each of ALL) {
        const made = plan(client({ level: each }), server({ level: each }));
        const same = transformed(made, { action, command });
        assert.equal(same.action, action);
        assert.equal(same.command, command);
        for (const directory of directories)
          for (const { directory: edit } of steps(made)) assert.equal(edit?.(directory) ?? null, null);
      }
    }
    assert.ok(seen > 200, `${seen} messages`);
  });
}
