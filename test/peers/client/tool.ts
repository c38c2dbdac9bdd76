import type { ResolvedClient } from "../../../src/peers/profile.ts";
import { codec } from "../../../src/spec/codec.ts";
import type { Level } from "../../../src/spec/versions.ts";
import type { ToolDetails } from "../../../src/wire/request-metadata.ts";

const HEADER = "build.bazel.remote.execution.v2.requestmetadata-bin";

/** How the client names itself, by its profile; null for one of which no name is known. @throws RangeError for a pattern that is not a plain name. */
function toolOf({ name: peer, facts, ends }: ResolvedClient): ToolDetails | null {
  const { tool } = facts;
  if (tool === undefined) return null;
  const name = tool.name.replace(/^\^|\$$/g, "");
  // The first version of a range is in no other, whereas its last one may be short for many.
  const version = (ends.from ?? ends.to ?? [1]).join(".");
  if (!new RegExp(tool.name).test(name)) throw new RangeError(`no name of ${peer} is known for ${tool.name}`);
  if (tool.version !== undefined && new RegExp(tool.version).exec(version)?.[1] !== version) {
    throw new RangeError(`no version of ${peer} is known for ${tool.version}`);
  }
  return { name, version };
}

/** The header in which it does so, and no other of that name. */
export function toolHeaders(client: ResolvedClient, level: Level): Record<string, Buffer> {
  const tool = toolOf(client);
  if (tool === null) return {};
  const metadata = codec(level).encode("build.bazel.remote.execution.v2.RequestMetadata", {
    toolDetails: { toolName: tool.name, toolVersion: tool.version },
    toolInvocationId: "00000000-0000-4000-8000-000000000001",
  });
  return { [HEADER]: metadata };
}
