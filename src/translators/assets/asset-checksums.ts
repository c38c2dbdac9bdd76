import { assumed, byLevel, pass } from "../declare.ts";
import type { Call, Edit, Pair, Translator } from "../translator.ts";
import { CHECKSUM, editQualifiers, FETCHES, PUSHES, QUALIFIERS } from "./messages.ts";

const MARKER = "behaviour:several-checksums";

/** The algorithms of subresource integrity, which names the form of checksums: the strongest first. */
const ALGORITHMS: readonly string[] = ["sha512", "sha384", "sha256"];

/**
 * Several checksums of one asset (D57). Since 2.12 `checksum.sri` may list several, of which one has to match; an older server takes the list for one. It gets
 * the strongest that it can check: what matches that is what the client means. Pushes and fetches have to say the same.
 */
export const assetChecksums: Translator = {
  feature: {
    id: "asset-checksums",
    title: "Several checksums of one asset",
    since: "2.12",
    drift: ["D57"],
    why: "An older server takes a list of checksums for one, which nothing matches.",
    forms: { one: "checksum.sri holds one checksum", several: "checksum.sri holds any number" },
  },
  owns: [MARKER],
  after: ["asset-digest-function"],
  clientAhead: "the strongest checksum that the server can check stays",
  serverAhead: "passes: a list of one is a list",
  support: byLevel({
    element: MARKER,
    without: { reads: ["one"], writes: ["one"] },
    with: { reads: ["several", "one"], writes: ["several", "one"] },
  }),
  assume: {
    client: assumed(["several", "one"], ["several", "one"]),
    server: assumed(["one"], ["one"]),
  },
  toServer: {
    one: { several: pass("a list of one is a list") },
    several: {
      one: {
        kind: "translate",
        methods: Object.fromEntries([...FETCHES, ...PUSHES].map((path) => [path, { request: withOne }])),
      },
    },
  },
  toClient: pass("replies repeat qualifiers that were sent"),
};

function withOne(message: Buffer, { method }: Call, { server }: Pair): Edit {
  const able = ALGORITHMS.filter((name) => isChecked(name, server.facts.assets?.checksums));
  return editQualifiers(message, QUALIFIERS[method]!, (name, value) =>
    name === CHECKSUM ? oneOf(value, able) : value,
  );
}

function isChecked(algorithm: string, only: string | undefined): boolean {
  return only === undefined || only === algorithm;
}

/** One checksum of a list; the value as it is where it has one, or none that the server can check. */
function oneOf(value: string, algorithms: readonly string[]): string {
  const all = value.split(/\s+/).filter((text) => text !== "");
  if (all.length < 2) return value;
  for (const algorithm of algorithms) {
    const found = all.find((text) => text.startsWith(`${algorithm}-`));
    if (found !== undefined) return found;
  }
  return value;
}
