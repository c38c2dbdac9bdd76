/**
 * Names of blobs: parsing never throws, the parts of a name give back the name, and a name made of parts gives back the parts.
 */
import assert from "node:assert/strict";
import { DIGEST_FUNCTIONS } from "../../src/wire/digest-function.ts";
import { formatResourceName, parseResourceName, type ResourceName } from "../../src/wire/resource-name.ts";
import type { FuzzTarget } from "./target.ts";

const RESERVED = [
  "blobs",
  "uploads",
  "actions",
  "actionResults",
  "operations",
  "capabilities",
  "compressed-blobs",
];

/** Whether an instance name is legal, and does not begin with the slash that parsing drops. */
function legalInstance(instance: string): boolean {
  return !instance.startsWith("/") && !instance.split("/").some((segment) => RESERVED.includes(segment));
}

/** Whether a compressor can be told from the keywords. */
function legalCompressor(compressor: string): boolean {
  return compressor !== "" && !compressor.includes("/") && !["blobs", "uploads"].includes(compressor);
}

/** Reads `bytes` as the parts of a name: a byte of choices, one for the digest, then texts separated by line feeds. */
function partsFrom(bytes: Buffer): ResourceName | null {
  const [choices = 0, digest = 0] = bytes;
  const [instance = "", second = "", third = "", fourth = ""] = bytes.toString("utf8", 2).split("\n");
  const upload = choices & 1 ? second : null;
  const compressor = choices & 2 ? third : null;
  if (!legalInstance(instance) || upload?.includes("/")) return null;
  if (compressor !== null && !legalCompressor(compressor)) return null;
  return {
    instance,
    upload,
    compressor,
    digestFunction: choices & 4 ? DIGEST_FUNCTIONS[digest % DIGEST_FUNCTIONS.length]! : null,
    digest: {
      hash: digest.toString(16).repeat(1 + (digest & 7)),
      sizeBytes: choices & 8 ? digest * 0x10_0000_0000 : digest,
    },
    metadata: choices & 16 ? fourth : null,
  };
}

/** The fuzz target: `bytes` are a name, and also the parts of one. */
export const resourceName: FuzzTarget = {
  name: "resource-name",
  run(given) {
    const bytes = Buffer.from(given);
    const name = bytes.toString("utf8");
    const parsed = parseResourceName(name);
    if (parsed !== null) {
      const again = formatResourceName(parsed);
      assert.ok(again === name || `/${again}` === name, `${JSON.stringify(name)} came back as ${again}`);
      assert.deepEqual(parseResourceName(again), parsed);
    }
    const parts = partsFrom(bytes);
    if (parts !== null) assert.deepEqual(parseResourceName(formatResourceName(parts)), parts);
  },
};
