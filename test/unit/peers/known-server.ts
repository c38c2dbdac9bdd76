/** What a server does that is as its profile says, with the texts that real ones were seen to answer. */
import { readAdvertised } from "../../../src/peers/advertised.ts";
import type { ResolvedServer } from "../../../src/peers/profile.ts";
import { isMissing } from "../../../src/peers/profile-methods.ts";
import { codec } from "../../../src/spec/codec.ts";
import { enums } from "../../../src/spec/generated/enums.ts";
import { methodAt } from "../../../src/spec/methods.ts";
import { ASKS, type Ask, pathOf } from "../../../src/upstream/asks.ts";
import { GET_CAPABILITIES } from "../../../src/upstream/methods.ts";
import type { Observation, Observations } from "../../../src/upstream/probe.ts";
import { Status } from "../../../src/wire/status.ts";

const SERVER_CAPABILITIES = "build.bazel.remote.execution.v2.ServerCapabilities";
const INT32 = { minPriority: -(2 ** 31), maxPriority: 2 ** 31 - 1 };

/** Texts by peer and question, from its issues and its code. */
const TEXTS: Readonly<Record<string, string>> = {
  "buildbarn empty-tree": "This service does not support downloading directory trees",
  "bb-clientd empty-tree": "This service does not support downloading directory trees",
  "scoot empty-tree": "Currently unsupported in Scoot",
  "justbuild-execute empty-tree": "GetTree not implemented",
  "nativelink unknown-instance":
    "'instance_name' not configured for 'nobody' : Failed on find_missing_blobs() command",
  "buildgrid unknown-instance": "Invalid instance name: [nobody]",
  "bazel-remote unreadable-resource-name": "Unable to parse resource name: blobs/unreadable",
  "bb-remote-asset fetch-without-uris": "FetchBlob does not support requests without any URIs specified.",
};

/** A sign seen. */
export function sign(ask: Ask, status: number, text = "", services: readonly string[] = []): Observation {
  return { ask, status, text, services };
}

/** What is seen of a server that is in no other way than its profile says. Where the profile is silent, the method answers. */
export function seenOf(server: ResolvedServer): Observations {
  const hasCapabilities = !isMissing(server, GET_CAPABILITIES);
  return {
    capabilities: hasCapabilities ? announcementOf(server) : null,
    capabilitiesStatus: hasCapabilities ? Status.OK : Status.UNIMPLEMENTED,
    signs: ASKS.flatMap((ask) => answerOf(server, ask)),
  };
}

/** What was announced, read. */
export function advertisedIn({ capabilities }: Observations): ReturnType<typeof readAdvertised> | null {
  return capabilities === null ? null : readAdvertised(capabilities);
}

function answerOf(server: ResolvedServer, ask: Ask): Observation[] {
  const { peer, name, facts } = server;
  const stated = facts.recognition?.signs.find((each) => each.ask === ask);
  if (stated !== undefined) return [sign(ask, Status[stated.status], TEXTS[`${peer} ${ask}`])];
  if (ask === "reflection") {
    // Buildfarm has it since 1.6.0.
    if (peer !== "buildfarm" || name === "buildfarm@1.4") return [sign(ask, Status.UNIMPLEMENTED)];
    return [
      sign(ask, Status.OK, "", ["build.bazel.remote.execution.v2.Execution", ...facts.vendorServices!.are]),
    ];
  }
  if (methodAt(pathOf(ask)) === undefined) return [];
  return [sign(ask, isMissing(server, pathOf(ask)) ? Status.UNIMPLEMENTED : Status.OK)];
}

function announcementOf(server: ResolvedServer): Buffer {
  const { facts } = server;
  const main = codec("main");
  const functions = (facts.digestFunctions?.are ?? ["SHA256"]).map(
    (name) => enums.DigestFunction[name as "SHA256"],
  );
  const announced = facts.digestFunctions?.several === false ? functions.slice(0, 1) : functions;
  const compressors = (fact: { readonly are: readonly (keyof typeof enums.Compressor)[] } | undefined) =>
    (fact?.are ?? []).map((name) => enums.Compressor[name]);
  const executes =
    facts.execution?.offered !== "no" &&
    !isMissing(server, "/build.bazel.remote.execution.v2.Execution/Execute");
  const { deprecated, low, high } =
    facts.window ?? ({ low: "2.0", high: "2.0" } as NonNullable<typeof facts.window>);
  const message = {
    cacheCapabilities: {
      digestFunctions: announced,
      actionCacheUpdateCapabilities: { updateEnabled: facts.cacheWrites?.announced !== "no" },
      maxBatchTotalSizeBytes: BigInt(facts.batchLimit?.announced ?? 0),
      symlinkAbsolutePathStrategy:
        enums.SymlinkAbsolutePathStrategy[facts.absoluteSymlinks?.are ?? "UNKNOWN"],
      supportedCompressors: compressors(facts.compressors),
      supportedBatchUpdateCompressors: compressors(facts.batchCompressors),
      maxCasBlobSizeBytes: facts.blobLimit?.announced === true ? 1n << 32n : 0n,
    },
    ...(executes && {
      executionCapabilities: {
        digestFunction: announced[0]!,
        execEnabled: true,
        executionPriorityCapabilities: {
          priorities: [facts.priorities?.are === "not-negative" ? { ...INT32, minPriority: 0 } : INT32],
        },
        supportedNodeProperties: facts.nodePropertyNames?.of === "platform" ? ["OSFamily"] : [],
      },
    }),
    ...(deprecated !== undefined && { deprecatedApiVersion: semVer(deprecated) }),
    ...(low !== undefined && { lowApiVersion: semVer(low) }),
    ...(high !== undefined && { highApiVersion: semVer(high) }),
  };
  return main.encode(SERVER_CAPABILITIES, main.create(SERVER_CAPABILITIES, message));
}

function semVer(text: string): { major: number; minor: number } {
  const [major, minor] = text.split(".").map(Number);
  return { major: major!, minor: minor! };
}
