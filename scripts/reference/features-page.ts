import { TRANSLATORS } from "../../src/translators/registry.ts";
import type { Translator } from "../../src/translators/translator.ts";
import { loadDrift } from "../generate/drift.ts";
import { table } from "./markdown.ts";

const features = [...TRANSLATORS].sort((a, b) => (a.feature.id < b.feature.id ? -1 : 1));
const drift = loadDrift();

/** Proposals have no title of their own here: the feature's stands for them. */
function index(): string {
  const items = new Map<string, Translator[]>(Object.keys(drift).map((item) => [item, []]));
  for (const translator of features) {
    for (const item of translator.feature.drift) items.set(item, [...(items.get(item) ?? []), translator]);
  }
  const rows = [...items]
    .sort()
    .map(([item, of]) => [
      item,
      drift[item]?.title ?? of[0]?.feature.title ?? "",
      of.map(({ feature }) => `[${feature.id}](#${feature.id})`).join(", "),
    ]);
  return table(["item", "what differs", "feature"], rows);
}

function since({ feature: { since: first } }: Translator): string {
  if (first === "ahead") return "a proposal";
  return first === "quirk" ? "behaviour of some peers" : `since ${first}`;
}

function section(translator: Translator): string {
  const { feature, clientAhead, serverAhead } = translator;
  return `\
## ${feature.id}

${feature.title} (${[...feature.drift, since(translator)].join(", ")}). ${feature.why}

${table(
  ["form", "what it is"],
  Object.entries(feature.forms).map(([form, line]) => [`\`${form}\``, line]),
)}\
- **The client is ahead:** ${clientAhead}.
- **The server is ahead:** ${serverAhead}.
`;
}

/** The text of `docs/features.md`. */
export function featuresPage(): string {
  return `\
<!-- Written by scripts/generate-reference.ts from the translators in src/translators: change those. -->

# Features

Everything in which clients and servers of the Remote Execution API differ, and what the bridge does about it. A feature has *forms*: a client
and a server agree on it if the one reads the forms that the other writes. If they do not, calls that use it are translated, or refused
by name ([errors.md](errors.md)), or pass because what is ignored does no harm.

## By item

Errors name an item of the catalogue: D for differences between revisions, P for proposals.

${index()}${features.map(section).join("\n")}`;
}
