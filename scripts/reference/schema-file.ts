import { fileSchema } from "../../src/config/schema.ts";

/** The text of `config/schema.json`, which editors use to complete and check configuration files. */
export function schemaFile(): string {
  return `${JSON.stringify(fileSchema(), null, 2)}\n`;
}
