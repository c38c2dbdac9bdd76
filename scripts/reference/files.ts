import { cliPage } from "./cli-page.ts";
import { metricsPage } from "./metrics-page.ts";
import { schemaFile } from "./schema-file.ts";

/** Path → text of every file that follows from the options, the commands and the metrics. */
export async function referenceFiles(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["config/schema.json", schemaFile()],
    ["docs/cli.md", await cliPage()],
    ["docs/metrics.md", metricsPage()],
  ]);
}
