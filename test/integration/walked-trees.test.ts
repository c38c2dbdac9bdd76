import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Connection } from "../../src/client/connection.ts";
import { codec } from "../../src/spec/codec.ts";
import { Status } from "../../src/wire/status.ts";
import { atRest } from "../support/at-rest.ts";
import { bridgeTo } from "../support/bridge.ts";
import { playing } from "../support/played-server.ts";
import { type BlobName, failure, ReapiClient, sha256, V2, type V2Message } from "../support/reapi-client.ts";

// GetTree before servers that lack it, behind bridges that share nothing.

const GET_TREE = "ContentAddressableStorage/GetTree";

type Pages = V2Message<"GetTreeResponse">[];

/** Stores a chain of directories with two others in each, and returns the root and all of them. */
async function chain(client: ReapiClient, length: number): Promise<{ root: BlobName; all: BlobName[] }> {
  const all: BlobName[] = [];
  const stored = async (name: string, directories: { name: string; digest: BlobName }[]) => {
    const files = [{ name, digest: sha256(name) }];
    const digest = await client.storeMessage(`${V2}.Directory`, { directories, files });
    all.push(digest);
    return digest;
  };
  let root = await stored("end", []);
  for (let n = 0; n < length; n++) {
    root = await stored(`link ${n}`, [
      { name: "a", digest: await stored(`side ${n}`, []) },
      { name: "b", digest: await stored(`other side ${n}`, []) },
      { name: "next", digest: root },
    ]);
  }
  return { root, all };
}

async function bridged(t: TestContext, address: string) {
  const bridge = await bridgeTo(t, address);
  return { bridge, client: new ReapiClient(t, bridge.address) };
}

const names = (pages: Pages) =>
  pages.flatMap(({ directories }) =>
    directories.map((directory) => sha256(codec().encode(`${V2}.Directory`, directory)).hash),
  );

for (const name of ["buildbarn@2026-03-26", "justbuild-execute"]) {
  test(`a tree in pages before ${name}: what one bridge began another goes on with`, async (t) => {
    const { client: direct, address } = await playing(t, name);
    const { root: rootDigest, all } = await chain(direct, 8);
    const [one, two] = [await bridged(t, address), await bridged(t, address)];
    await assert.rejects(direct.all(GET_TREE, { rootDigest }), { code: Status.UNIMPLEMENTED });
    const whole = names(await one.client.all(GET_TREE, { rootDigest }));
    assert.deepEqual(new Set(whole), new Set(all.map(({ hash }) => hash)));
    assert.equal(whole.length, all.length);
    let pageToken = "";
    const collected: string[] = [];
    for (let n = 0; n === 0 || pageToken !== ""; n++) {
      const { client } = n % 2 === 0 ? one : two;
      const leaving = new AbortController();
      const request = { rootDigest, pageSize: 3, pageToken };
      for await (const page of client.stream<Pages[number]>(GET_TREE, request, leaving.signal)) {
        assert.ok(page.directories.length <= 3);
        collected.push(...names([page]));
        pageToken = page.nextPageToken;
        // The caller goes, and comes back to another bridge.
        leaving.abort();
        break;
      }
    }
    assert.deepEqual(collected, whole);
  });
}

test("directories that are evicted between pages are left out, and nothing else", async (t) => {
  const { client: direct, address, controls } = await playing(t, "buildbarn@2026-03-26");
  const { root: rootDigest, all } = await chain(direct, 4);
  const { client } = await bridged(t, address);
  const [first] = await client.all<Pages[number]>(GET_TREE, { rootDigest, pageSize: 4 });
  const sent = names([first!]);
  const lost = all.find(({ hash }) => !sent.includes(hash))!;
  // Only what leads nowhere: the end of the chain.
  assert.equal(lost, all[0]);
  assert.ok(await controls.evict(lost));
  const rest = await client.all<Pages[number]>(GET_TREE, { rootDigest, pageToken: first!.nextPageToken });
  const expected = all.map(({ hash }) => hash).filter((hash) => hash !== lost.hash);
  assert.deepEqual(new Set([...sent, ...names(rest)]), new Set(expected));
  assert.ok(await controls.evict(rootDigest));
  const { code } = await failure(client.all(GET_TREE, { rootDigest, pageToken: first!.nextPageToken }));
  assert.equal(code, Status.NOT_FOUND);
});

test("a caller that leaves in the middle leaves nothing behind", async (t) => {
  const { client: direct, address } = await playing(t, "buildbarn@2026-03-26");
  const { root: rootDigest } = await chain(direct, 30);
  const bridge = await bridgeTo(t, address);
  for (let n = 0; n < 20; n++) {
    const client = new Connection(bridge.address, { level: "main" });
    const leaving = new AbortController();
    const request = { rootDigest, pageSize: 1 };
    for await (const _ of client.stream(`/${V2}.${GET_TREE}`, request, leaving.signal)) {
      leaving.abort();
      break;
    }
    client.close();
  }
  await atRest(bridge);
});
