import assert from "node:assert/strict";
import { test } from "node:test";
import { checkImports } from "../../../scripts/check-imports.ts";

function check(files: Record<string, string>): string[] {
  return checkImports(new Map(Object.entries(files)));
}

test("imports along the allowed direction are in order", () => {
  assert.deepEqual(
    check({
      "src/wire/digest.ts": 'import { createHash } from "node:crypto";\n',
      "src/spec/codec.ts": 'import { digest } from "../wire/digest.ts";\nexport * from "./versions.ts";\n',
      "src/spec/versions.ts": "export const LEVELS = [];\n",
      "src/cli/main.ts": 'import {\n  codec,\n  type Codec,\n} from "../spec/codec.ts";\n',
    }),
    [],
  );
});

test("an import against the direction names both files and what is allowed", () => {
  assert.deepEqual(check({ "src/wire/digest.ts": 'import { root } from "../spec/codec.ts";\n' }), [
    "src/wire/digest.ts: imports src/spec/codec.ts; wire may import no other room",
  ]);
});

for (const [form, line] of [
  ["a type", 'import type { Bridge } from "../index.ts";\n'],
  ["a re-export", 'export { createBridge } from "../index.ts";\n'],
  ["a bare import", 'import "../index.ts";\n'],
  ["a dynamic import", 'const bridge = await import("../index.ts");\n'],
  ["several lines", 'import {\n  type Bridge,\n  createBridge,\n} from "../index.ts";\n'],
] as const) {
  test(`the direction holds for ${form}`, () => {
    assert.equal(check({ "src/proxy/router.ts": line }).length, 1);
  });
}

test("comments are no imports", () => {
  const source = '/*\nimport { a } from "../cli/main.ts";\n*/\n// import { b } from "../cli/main.ts";\n';
  assert.deepEqual(check({ "src/wire/digest.ts": source }), []);
});

test("imports from outside src are refused", () => {
  assert.deepEqual(check({ "src/wire/digest.ts": 'import { helper } from "../../test/helper.ts";\n' }), [
    "src/wire/digest.ts: imports test/helper.ts, which is not part of src",
  ]);
});

test("a room that the table does not know is named", () => {
  assert.deepEqual(check({ "src/attic/box.ts": "" }), [
    'src/attic/box.ts: the room "attic" is not in the table of scripts/check-imports.ts',
  ]);
});

test("a circle is shown from file to file", () => {
  assert.deepEqual(
    check({
      "src/wire/a.ts": 'import { b } from "./b.ts";\n',
      "src/wire/b.ts": 'import { c } from "./c.ts";\n',
      "src/wire/c.ts": 'import { b } from "./b.ts";\n',
    }),
    ["circle: src/wire/b.ts → src/wire/c.ts → src/wire/b.ts"],
  );
});

test("types may refer to each other in a circle: nothing is loaded", () => {
  assert.deepEqual(
    check({
      "src/wire/a.ts": 'import { b } from "./b.ts";\n',
      "src/wire/b.ts": 'import type { A } from "./a.ts";\n',
    }),
    [],
  );
});
