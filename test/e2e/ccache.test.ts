import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { BridgeProcess } from "./support/bridge.ts";
import { succeed } from "./support/command.ts";
import { scratch } from "./support/folder.ts";
import { startHttpCache } from "./support/http-cache.ts";

test("ccache shares results through the plain HTTP of the bridge, and compiles itself while the bridge is down", async (t) => {
  const folder = scratch();
  writeFileSync(join(folder, "answer.c"), "int answer(void) { return 42; }\n");
  const cache = await startHttpCache();
  t.after(() => cache.stop());
  // The bridge needs an upstream for gRPC; nobody calls it here.
  const bridge = await BridgeProcess.start("--upstream", "127.0.0.1:1", "--http-upstream", cache.url);
  t.after(() => bridge.stop());

  /** Compiles as a user with an empty cache of their own. */
  const compile = async (user: string) => {
    const env = {
      CCACHE_DIR: join(folder, user),
      CCACHE_REMOTE_STORAGE: `http://${bridge.address}|layout=bazel`,
    };
    const object = join(folder, `${user}.o`);
    await succeed("ccache", ["gcc", "-c", "answer.c", "-o", object], { cwd: folder, env });
    const statistics = await succeed("ccache", ["--print-stats"], { env });
    const count = (name: string) => Number(new RegExp(`^${name}\\t(\\d+)$`, "m").exec(statistics)?.[1]);
    return {
      object: readFileSync(object),
      hits: count("direct_cache_hit"),
      misses: count("cache_miss"),
      errors: count("remote_storage_error"),
    };
  };

  const first = await compile("first");
  assert.deepEqual({ ...first, object: null }, { object: null, hits: 0, misses: 1, errors: 0 });
  assert.ok(cache.entries.size > 0);
  assert.ok([...cache.entries.keys()].every((path) => /^\/ac\/[0-9a-f]{64}$/.test(path)));

  assert.deepEqual(await compile("second"), { ...first, hits: 1, misses: 0 });

  await bridge.kill();
  const alone = await compile("alone");
  assert.deepEqual(alone, { ...first, errors: alone.errors });
  assert.ok(alone.errors > 0);

  await bridge.restart();
  assert.deepEqual(await compile("third"), { ...first, hits: 1, misses: 0 });
});
