import type { Evidence, PeerFacts, Support } from "../peers/dialect.ts";
import { knows } from "../spec/ledger.ts";
import { messageIn, withPayloads } from "../wire/fields.ts";
import { ActionField, CommandField, quoted } from "./action-messages.ts";
import { assumed, pass } from "./declare.ts";
import { of } from "./names.ts";
import { type Property, propertiesOf, withProperties } from "./platform-properties.ts";
import { mapped, refusedBy } from "./platform-table.ts";
import { refusalOf } from "./refusal.ts";
import type { ActionEdit, ActionMessages, Edit, Pair, Translate, Translator } from "./translator.ts";

const LEXICON = "behaviour:platform-lexicon";

const SAYS_SO = pass("a server without a worker for a property says so");
const UNSAID = pass(
  "nothing is known to tell this server so: whether the input root is the root of the file system there is for its workers' configuration",
);
const MAP: Translate = { kind: "translate", content: { action: map } };

/**
 * Names and values of platform properties (D37, lift L6). What a server calls otherwise is in a table of its profile; without one everything passes as it is. A
 * client that needs the input root to be the root of the file system is understood by servers that have a property for it.
 */
export const platformLexicon: Translator = {
  feature: {
    id: "platform-lexicon",
    title: "Names and values of platform properties",
    since: "2.0",
    drift: ["D37", "P11"],
    why: "Servers call the same thing by different names.",
    forms: {
      own: "names of the server's own",
      agreed: "the names of the lexicon",
      rooted: "either, by a client that needs the input root to be the root of the file system",
      mapped: "what the profile of the server makes of them",
    },
  },
  owns: [
    "behaviour:platform-lexicon",
    "behaviour:platform-case",
    ...of("Platform", "properties", "Property.name", "Property.value"),
  ],
  after: ["action-platform"],
  clientAhead:
    "properties are renamed, mapped, dropped, added and refused by the table in the server's profile, if it has one",
  serverAhead: "the same",
  support,
  assume: {
    client: assumed(["agreed", "own"], ["agreed", "own"]),
    server: assumed(["own", "agreed"], ["own"]),
  },
  toServer: {
    own: { agreed: SAYS_SO, rooted: SAYS_SO, mapped: MAP },
    agreed: { own: SAYS_SO, rooted: SAYS_SO, mapped: MAP },
    rooted: { own: UNSAID, agreed: UNSAID, mapped: MAP },
    mapped: { own: SAYS_SO, agreed: SAYS_SO, rooted: SAYS_SO },
  },
  toClient: pass("no response has the platform of an action"),
};

/** By level; a server with a table reads nothing but what that makes, one with a property for the root is told what it cannot know otherwise. */
function support({ role, level, facts }: PeerFacts): Support | null {
  const byLevel = level === null || knows(level.value, LEXICON) ? ["agreed", "own"] : ["own"];
  if (role === "client") {
    const stated = (facts as PeerFacts<"client">["facts"])?.inputRoot;
    if (stated?.isRoot === true) return { reads: byLevel, writes: ["rooted"], evidence: said(stated) };
  } else {
    const { platformTable, fileSystemRoot } = (facts as PeerFacts<"server">["facts"]) ?? {};
    if (platformTable !== undefined)
      return { reads: ["mapped"], writes: byLevel, evidence: said(platformTable) };
    if (fileSystemRoot !== undefined)
      return { reads: ["mapped", ...byLevel], writes: byLevel, evidence: said(fileSystemRoot) };
  }
  return level === null ? null : { reads: byLevel, writes: byLevel, evidence: level.evidence };
}

function said({ evidence }: { readonly evidence: string }): Evidence {
  return { source: "profile", note: evidence };
}

/** Where a platform may stand. */
const PLACES = [
  { form: "action", number: ActionField.platform },
  { form: "command", number: CommandField.platform },
] as const;

/** Both platforms of an action are mapped; what is added is added where the server looks, even if there is none yet. */
function map(given: ActionMessages, _: unknown, pair: Pair): ActionEdit | null {
  const found = PLACES.map((place) => ({ ...place, platform: messageIn(given[place.form], place.number) }));
  const reads = pair.server.features["action-platform"]?.reads ?? ["command"];
  const places = found.filter(({ form }) => reads.includes(form));
  const looked = places.find(({ platform }) => platform !== null) ?? places.at(-1);
  const edits = found.map(({ form, number, platform }): [string, Edit] => {
    if (platform === null && form !== looked?.form) return [form, null];
    const changed = mappedPlatform(platform ?? Buffer.alloc(0), pair);
    if (changed === null) return [form, null];
    const payloads = changed.length === 0 && platform === null ? [] : [changed];
    return [form, withPayloads(given[form], new Map([[number, payloads]]))];
  });
  return edits.every(([, edit]) => edit === null) ? null : Object.fromEntries(edits);
}

/** Null where the table has nothing to do, also if the client did not sort. */
function mappedPlatform(platform: Buffer, pair: Pair): Buffer | null {
  const { platformTable = {}, fileSystemRoot } = pair.server.facts;
  const before = propertiesOf(platform);
  const refused = refusedBy(platformTable, before);
  if (refused !== null) throw refusal(refused, pair);
  const needsRoot = pair.client.facts.inputRoot?.isRoot === true;
  const add = needsRoot && fileSystemRoot !== undefined ? [fileSystemRoot] : [];
  const after = mapped({ add }, mapped(platformTable, before));
  const isSame = after.length === before.length && after.every((property, i) => property === before[i]);
  return isSame ? null : withProperties(platform, after);
}

function refusal(
  { property, forValue, why }: { property: Property; forValue: boolean; why: string },
  pair: Pair,
) {
  const value = forValue ? ` with the value ${quoted(property.value)}` : "";
  const what = `The platform property ${quoted(property.name)}${value}`;
  return refusalOf(
    platformLexicon,
    {
      code: "platform-unsupported",
      has: `does not take it by its profile: ${why}`,
      fix: "have the client ask for something else, or mend the table in the profile of the server",
    },
    "agreed",
    { what, element: null, text: "platform" },
    pair,
  );
}
