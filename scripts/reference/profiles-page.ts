import { CLIENT_FACTS } from "../../src/peers/client-facts.ts";
import type { Role } from "../../src/peers/profile.ts";
import { PROFILE_FEATURES } from "../../src/peers/profile-features.ts";
import type { JsonSchema, Members } from "../../src/peers/profile-kinds.ts";
import { shippedProfiles } from "../../src/peers/read-profile.ts";
import { SERVER_FACTS } from "../../src/peers/server-facts.ts";
import { ASKS } from "../../src/upstream/asks.ts";
import { table } from "./markdown.ts";

type Facts = Readonly<Record<string, { says: string; usedBy: readonly string[]; members: Members }>>;

const profiles = shippedProfiles();

/** What may stand for a value. Long lists of words are in the schema. */
function values(schema: JsonSchema): string {
  const {
    enum: words,
    type,
    items,
    properties,
    pattern,
    format,
  } = schema as Record<string, JsonSchema> & {
    enum?: readonly string[];
    type?: string;
    pattern?: string;
    format?: string;
  };
  if (words !== undefined) return words.length > 8 ? `${words[0]}, …` : words.join(", ");
  if (type === "array") return `list of: ${values(items!)}`;
  if (type === "object") return Object.keys(properties!).join(" + ");
  if (type === "boolean") return "true, false";
  if (format === "regex") return "expression";
  return type === "integer" ? "number" : pattern?.startsWith("^\\d") ? "version" : "text";
}

function members(fact: Members): string {
  const lines = Object.entries(fact).map(
    ([name, { schema, optional }]) => `\`${name}${optional ? "?" : ""}\`: ${values(schema)}`,
  );
  return lines.join("<br>");
}

function factTable(facts: Facts): string {
  const rows = Object.entries(facts).map(([name, { says, usedBy, members: of }]) => [
    `\`${name}\``,
    says,
    members(of),
    usedBy.join(", "),
  ]);
  return table(["fact", "what it says", "members", "used by"], rows);
}

function featureTable(): string {
  const rows = Object.entries(PROFILE_FEATURES).map(([name, { forms, of }]) => [
    `[${name}](features.md#${name})`,
    forms.join(", "),
    of.map((role) => `${role}s`).join(", "),
  ]);
  return table(["feature", "forms", "profiles of"], rows);
}

/** A line for each peer; aliases lead to the same ranges. */
function shipped(role: Role): string {
  const peers = new Map(profiles.names(role).map((name) => [profiles.ranges(role, name), [] as string[]]));
  for (const name of profiles.names(role)) peers.get(profiles.ranges(role, name))!.push(name);
  const rows = [...peers].map(([ranges, names]) => {
    const peer = ranges[0]!.peer;
    const others = names.filter((name) => name !== peer).map((name) => `\`${name}\``);
    return [
      [`\`${peer}\``, ...others].join(", "),
      ranges[0]!.title,
      ranges.map(({ range }) => range || "all").join("; "),
    ];
  });
  return table(["names", role, "ranges"], rows);
}

/** The text of `docs/profiles.md`. */
export function profilesPage(): string {
  return `\
<!-- Written by scripts/generate-reference.ts from src/peers and config/profiles: change those. -->

# Profiles

A profile says how one client or server really behaves: which forms of each [feature](features.md) it reads and writes, which methods it
lacks, which limits hold. Version numbers do not tell, since peers honour parts of newer revisions and ignore parts of their own.

A name stands for one range of versions or dates: \`buildbarn\` for the newest, \`nativelink@1.6\` for the newest that any 1.6 is in,
\`buildbarn@2026-03-26\` for the one of that day.

## Known peers

${shipped("server")}${shipped("client")}\
## A profile of your own

A YAML or JSON file, named in \`profiles\` of the configuration. It may extend a known peer, and then says only what is different:

\`\`\`yaml
# yaml-language-server: $schema=../profile-schema.json
role: server
peer: our-buildfarm
title: Our Buildfarm
extends: buildfarm@2.15
ranges:
  - facts:
      messageLimit: { is: 16777216, evidence: our configuration }
    features:
      action-platform: { reads: [action, command], evidence: our patch of May }
\`\`\`

- \`ranges\` stand oldest first and do not overlap. \`from\` and \`to\` belong to the range, and a short one stands for all that begin with it:
  \`to: "2.9"\` holds 2.9.4. Without them a range has no end on that side.
- Each range takes over what the one before it says, and the first one what \`extends\` names; a fact or feature that is said again is replaced
  as a whole. \`afresh: true\` takes over nothing.
- Each fact and feature has \`evidence\`: where it is from, in a few words.
- What nothing is said about is as the \`level\` has it.

## Platform properties

Servers call the same thing by different names, and some find a worker only for exactly the properties it has. What is to become of properties on
their way to such a server stands in a \`platformTable\` of its profile; without one they pass as they are. It applies to the platform of the Action
and to that of the Command, in this order:

| part | what it does |
|---|---|
| \`refuse\` | refuses the action by name, with the reason in \`why\` |
| \`drop\` | takes the property away: right for hints, such as those for persistent workers that the server does not have |
| \`change\` | \`newName\`, \`newValue\`, and \`valueCase\`: \`lower\` or \`upper\`; the first entry that fits a property counts |
| \`add\` | adds a property where no other has the name |

An entry is for a \`name\`, or with \`value\` for one value of it only; with \`anyCase\` in whatever case.
[platform-table.yaml](../config/examples/platform-table.yaml) is an example. Where a client needs the input root to be the root of the file
system (\`inputRoot\`) and the server has a property for that (\`fileSystemRoot\`), it is added too. An action that changes has another digest:
a table that changes every action makes the bridge read each before it runs.

## How a server is recognised

REAPI gives a server no way to say which one it is, and its version is a weak hint. So it is looked at: what GetCapabilities announces, and
how it answers calls that have nothing to do, with the credentials of the caller, all at once and within two seconds. Those calls are
${ASKS.slice(0, 4)
  .map((ask) => `\`${ask}\``)
  .join(", ")},
${ASKS.slice(4)
  .map((ask) => `\`${ask}\``)
  .join(", ")}. Answers that are about the caller or the moment, such as
UNAUTHENTICATED or UNAVAILABLE, teach nothing. A method that ends in UNIMPLEMENTED is missing, whoever the server is.

- A range is ruled out by anything that its facts contradict: versions, digest functions, compressors, limits, missing methods, signs. What
  a profile is silent about, and what its \`optional\` members leave to configuration, may be anything.
- A peer is recognised only on proof: a text of a sign of its \`recognition\`, one of its \`vendorServices\` in the list of reflection, or an
  announcement with its window, digest functions and uncommon batch limit that every other peer contradicts. The nearest one is never taken.
- Where several ranges or peers remain, what they have in common holds, and the rest is as if nobody knew the server. Of a feature, the
  server is taken to read only the forms that all of them read, so that nothing is lost if it is the other one: a call that one of them
  would take may be refused. The name of the profile in the configuration settles it.

## Features

\`reads\` and \`writes\` list forms, the best first. \`together: true\` says that a client which writes several forms writes all of them at once.
Other features follow from the facts below.

${featureTable()}## Facts of servers

${factTable(SERVER_FACTS)}## Facts of clients

${factTable(CLIENT_FACTS).trimEnd()}
`;
}
