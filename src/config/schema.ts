import { ALL_OPTIONS, type Option } from "./options.ts";
import { sectionSchemas } from "./section-schemas.ts";

/** A JSON schema; what ajv and editors read. */
export type JsonSchema = Record<string, unknown>;

function leaf(option: Option): JsonSchema {
  const { kind, list, help } = option;
  const value = { ...kind.schema };
  const text = option.default === undefined ? help : `${help}. Default: ${option.default}`;
  if (!list) return { ...value, description: text };
  return { type: ["array", "string"], items: value, minItems: 1, description: text };
}

function section(prefix: string): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  for (const option of ALL_OPTIONS) {
    if (!option.key.startsWith(prefix)) continue;
    const name = option.key.slice(prefix.length);
    const dot = name.indexOf(".");
    if (dot < 0) properties[name] = leaf(option);
    else properties[name.slice(0, dot)] ??= section(`${prefix}${name.slice(0, dot + 1)}`);
  }
  // The address alone is what most files have to say of the upstream.
  const type = prefix === "upstream." ? ["object", "string"] : "object";
  return { type, additionalProperties: false, properties };
}

/** The JSON schema of the configuration file, as `config/schema.json` holds it. */
export function fileSchema(): JsonSchema {
  const { properties, ...rest } = section("") as { properties: Record<string, JsonSchema> };
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Configuration of reapi-bridge",
    ...rest,
    properties: {
      $schema: { type: "string", description: "Where editors find this schema" },
      ...properties,
      ...sectionSchemas(section("upstream.")),
    },
  };
}
