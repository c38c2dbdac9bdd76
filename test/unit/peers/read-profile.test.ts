import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { StartError } from "../../../src/config/start-error.ts";
import { ProfileCatalogue } from "../../../src/peers/profile-catalogue.ts";
import { readProfile, shippedProfiles } from "../../../src/peers/read-profile.ts";

const folder = mkdtempSync(join(tmpdir(), "reapi-bridge-profiles-"));
after(() => rmSync(folder, { recursive: true }));

const file = join(folder, "profile.yaml");

function read(text: string, known = ProfileCatalogue.EMPTY): ProfileCatalogue {
  writeFileSync(file, text);
  return readProfile(file, known);
}

/** What is said of a file, without its name. */
function problems(text: string, known?: ProfileCatalogue): string[] {
  try {
    read(text, known);
  } catch (error) {
    assert.ok(error instanceof StartError && error.kind === "config");
    return error.message.replaceAll(`${file}:`, "").split("\n");
  }
  return [];
}

const FARM = `role: server
peer: farm
title: A farm
aliases: [ranch]
ranges:
  - to: "1.9"
    facts:
      window: { low: "2.0", high: "2.0", evidence: its answer }
      messageLimit: { is: 1024, evidence: its answer }
    features:
      output-paths: { reads: [lists], evidence: tried }
  - from: "2"
    facts:
      messageLimit: { is: 2048, evidence: its answer }
`;
const known = read(FARM);

test("a profile of one's own takes over what another says, and says the rest itself", () => {
  const text = `role: server
peer: our-farm
title: Our farm
extends: ranch@1
ranges:
  - features:
      output-paths: { reads: [lists, paths], evidence: our patch }
`;
  const { facts, features, range, name } = read(text, known).resolve("server", "our-farm");
  assert.equal(facts.window?.high, "2.0");
  assert.equal(facts.messageLimit?.is, 1024);
  assert.deepEqual(features["output-paths"]?.reads, ["lists", "paths"]);
  assert.deepEqual([range, name], ["", "our-farm"]);
});

test("a fact of a later range replaces the earlier one", () => {
  assert.equal(known.resolve("server", "farm@1.5").facts.messageLimit?.is, 1024);
  assert.equal(known.resolve("server", "farm@2.5").facts.messageLimit?.is, 2048);
  assert.equal(known.resolve("server", "farm").facts.window?.high, "2.0");
});

test("names that are not known are told with what was probably meant", () => {
  assert.throws(() => known.resolve("server", "frm"), {
    message: 'there is no profile of a server called "frm"; did you mean "farm"?',
  });
  assert.throws(() => known.resolve("client", "farm"), /there is no profile of a client called "farm"/);
  for (const version of ["1.10", "newest"]) {
    assert.throws(() => known.resolve("server", `farm@${version}`), {
      message: `no range of farm holds "${version}"; there are up to 1.9, from 2`,
    });
  }
});

test("unknown keys, forms and facts of the other side have line, column and a hint", () => {
  const text = `role: client
peer: tool
title: A tool
rangs: []
ranges:
  - facts:
      messageLimit: { is: 1024, evidence: its answer }
      tool: { name: "(", evidence: its source }
    features:
      output-path: { reads: [lists], evidence: tried }
      action-platform: { writes: [comand], evidence: tried }
`;
  const said = problems(text);
  assert.equal(said.length, 5, said.join("\n"));
  const [first = ""] = said.filter((line) => line.startsWith("4:1"));
  assert.match(first, /^4:1: unknown key "rangs"; did you mean "ranges"\?$/);
  assert.ok(said.some((line) => /^7:7: ranges\.facts: unknown key "messageLimit"/.test(line)));
  assert.ok(said.some((line) => /^8:21: ranges\.facts\.tool\.name: must match format "regex"/.test(line)));
  assert.ok(said.some((line) => /^10:7: .* did you mean "output-paths"\?$/.test(line)));
  assert.ok(
    said.some((line) => /^11:35: .*must be one of command, action .* did you mean "command"\?$/.test(line)),
  );
});

test("a claim without evidence is refused", () => {
  const [said = ""] = problems(FARM.replace(", evidence: tried", ""));
  assert.equal(said, '11:21: ranges.features.output-paths: lacks the key "evidence"');
});

test("ranges that overlap, are out of order or end before they begin are refused", () => {
  assert.deepEqual(problems(FARM.replace('"1.9"', '"2"')), [
    "12:5: each range must begin after the one before it ends (got 2 and 2)",
  ]);
  assert.deepEqual(problems(FARM.replace('to: "1.9"', 'from: "1"')), [
    "12:5: each range must begin after the one before it ends (got no end and 2)",
  ]);
  assert.deepEqual(problems(FARM.replace('from: "2"', 'from: "2"\n    to: "1"')), [
    "13:9: a range cannot end at 1 that begins at 2",
  ]);
});

test("a name that is taken, and a base that is not there, are refused at their place", () => {
  assert.deepEqual(problems(FARM, known), ["2:7: there is already a server called farm"]);
  const text = FARM.replace("peer: farm", "peer: byre").replace("aliases: [ranch]", "extends: frm@2");
  assert.deepEqual(problems(text, known), [
    '4:10: there is no profile of a server called "frm"; did you mean "farm"?',
  ]);
});

test("the example of the documentation is a profile", () => {
  const example = /```yaml\n(.*?)```/s.exec(readFileSync("docs/profiles.md", "utf8"))?.[1];
  assert.ok(example);
  const { facts, features } = read(example, shippedProfiles()).resolve("server", "our-buildfarm");
  assert.equal(facts.messageLimit?.is, 16777216);
  assert.deepEqual(features["action-platform"]?.reads, ["action", "command"]);
  assert.deepEqual(features["output-paths"]?.reads, ["paths", "lists"]);
});

test("a range within one release says so", () => {
  const ranges = shippedProfiles().ranges("client", "bazel");
  assert.deepEqual(
    ranges.slice(0, 4).map(({ range }) => range),
    ["0.17", "0.18 to 4.0", "4, from 4.1", "5.0"],
  );
});
