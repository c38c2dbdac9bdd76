/**
 * Writes what follows from the option table and the commands: `config/schema.json` and `docs/cli.md`. A test compares them.
 */
import { writeFileSync } from "node:fs";
import { cliPage } from "./reference/cli-page.ts";
import { schemaFile } from "./reference/schema-file.ts";

writeFileSync("config/schema.json", schemaFile());
writeFileSync("docs/cli.md", await cliPage());
