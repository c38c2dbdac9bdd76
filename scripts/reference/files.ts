import { cliPage } from "./cli-page.ts";
import { compatibilityPage } from "./compatibility-page.ts";
import { featuresPage } from "./features-page.ts";
import { metricsPage } from "./metrics-page.ts";
import { profilesPage } from "./profiles-page.ts";
import { profileSchemaFile, schemaFile } from "./schema-file.ts";

/** Path → text of every file that follows from the options, the commands, the metrics, the translators and the profiles. */
export async function referenceFiles(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["config/profile-schema.json", profileSchemaFile()],
    ["config/schema.json", schemaFile()],
    ["docs/cli.md", await cliPage()],
    ["docs/compatibility.md", compatibilityPage()],
    ["docs/features.md", featuresPage()],
    ["docs/metrics.md", metricsPage()],
    ["docs/profiles.md", profilesPage()],
  ]);
}
