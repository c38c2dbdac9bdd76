import { fileSchema } from "../../src/config/schema.ts";
import { profileSchema } from "../../src/peers/profile-schema.ts";

/** The text of `config/schema.json`, which editors use to complete and check configuration files. */
export function schemaFile(): string {
  return json(fileSchema());
}

/** The text of `config/profile-schema.json`, the same for profiles. */
export function profileSchemaFile(): string {
  return json(profileSchema());
}

function json(schema: object): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}
