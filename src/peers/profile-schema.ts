/** The JSON schema of profile files, as `config/profile-schema.json` holds it. */
import { CLIENT_FACTS } from "./client-facts.ts";
import type { Role } from "./profile.ts";
import { PROFILE_FEATURES } from "./profile-features.ts";
import {
  choice,
  flag,
  type JsonSchema,
  list,
  type Members,
  maybe,
  recordSchema,
  text,
} from "./profile-kinds.ts";
import { SERVER_FACTS } from "./server-facts.ts";

const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const VERSION = /^\d+([.-]\d+)*$/;

const evidence = {
  ...text(),
  schema: { type: "string", minLength: 1, description: "Where this is from, in a few words" },
};

function factsSchema(table: Readonly<Record<string, { says: string; members: Members }>>): JsonSchema {
  return {
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries(
      Object.entries(table).map(([name, { says, members }]) => [
        name,
        recordSchema({ ...members, evidence }, says),
      ]),
    ),
  };
}

function featuresSchema(role: Role): JsonSchema {
  const known = Object.entries(PROFILE_FEATURES).filter(([, { of }]) => of.some((one) => one === role));
  return {
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries(
      known.map(([name, { forms: words }]) => {
        const forms = list(choice<string>(...words));
        const some = { ...forms, schema: { ...forms.schema, minItems: 1 } };
        const members = { reads: maybe(some), writes: maybe(some), evidence };
        return [name, recordSchema(role === "client" ? { ...members, together: maybe(flag) } : members)];
      }),
    ),
  };
}

function rangesSchema(facts: JsonSchema, features: JsonSchema): JsonSchema {
  const version = text(VERSION);
  const items = recordSchema({
    from: maybe(version),
    to: maybe(version),
    afresh: maybe(flag),
    facts: maybe({ schema: facts, optional: false }),
    features: maybe({ schema: features, optional: false }),
  });
  return { type: "array", minItems: 1, items };
}

/** What only one role has: each is told the facts and features of the other as unknown. */
function ofRole(role: Role): JsonSchema {
  const facts = factsSchema(role === "client" ? CLIENT_FACTS : SERVER_FACTS);
  return { type: "object", properties: { ranges: rangesSchema(facts, featuresSchema(role)) } };
}

/** What every profile file must be; whether its ranges make sense is for `readProfile`. */
export function profileSchema(): JsonSchema {
  const { properties, ...rest } = recordSchema({
    $schema: maybe(text()),
    role: choice("client", "server"),
    peer: text(NAME),
    title: text(),
    aliases: maybe(list(text(NAME))),
    extends: maybe(text(/^[a-z0-9-]+(@[\d.-]+)?$/)),
    ranges: { schema: { type: "array" }, optional: false },
  });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Profile of a client or server of reapi-bridge",
    ...rest,
    properties,
    if: { properties: { role: { const: "client" } } },
    // biome-ignore lint/suspicious/noThenProperty: the word is JSON schema's.
    then: ofRole("client"),
    else: ofRole("server"),
  };
}
