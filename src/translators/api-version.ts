import { type ApiVersion, readAdvertised } from "../peers/advertised.ts";
import { compareVersions, type Version } from "../peers/version-range.ts";
import { FieldWriter } from "../wire/field-writer.ts";
import { rewriteMessage } from "../wire/rewrite.ts";
import { Walker } from "../wire/walker.ts";
import { assumed, pass } from "./declare.ts";
import { ids, of } from "./names.ts";
import type { Announcement, Edit, Translator } from "./translator.ts";

const COMPARED = pass(
  "the client compares the versions it is told itself, and says so when they do not meet",
);

/**
 * The window of API versions a server announces (D02). Which versions a client is told in place of the server's own is decided with the pair, from what is
 * native or served; here they are only written down.
 */
export const apiVersion: Translator = {
  feature: {
    id: "api-version",
    title: "The window of API versions a server announces",
    since: "2018-11",
    drift: ["D02"],
    why: "Clients whose versions lie outside of the window warn or stop.",
    forms: {
      narrow: "a window that ends before the newer versions, or none at all",
      wide: "a window that reaches to the newer versions",
    },
  },
  owns: [
    ...of("ServerCapabilities", "deprecated_api_version", "low_api_version", "high_api_version"),
    ...ids("build.bazel.semver.SemVer", ["major", "minor", "patch", "prerelease"]),
  ],
  after: [],
  clientAhead: "the client is told the versions whose features are native or served",
  serverAhead: "the client is told versions that it holds, as far as their features are native or served",
  support: () => null,
  assume: { client: assumed(["wide", "narrow"], ["wide"]), server: assumed(["wide", "narrow"], ["narrow"]) },
  toServer: COMPARED,
  toClient: COMPARED,
  announceIf: ({ window }) => window !== undefined,
  announce,
};

/** Puts the versions of the pair in place of those announced. A version that is the same keeps its bytes, its patch and prerelease with them. */
function announce({ bytes, pair: { window } }: Announcement): Edit {
  if (window === undefined) return null;
  const { deprecated, low, high } = readAdvertised(bytes);
  const told = new Map<number, Version | null>();
  const tell = (number: number, announced: ApiVersion | null, version: Version | null): void => {
    if (!isSame(announced, version)) told.set(number, version);
  };
  tell(3, deprecated, window.deprecated);
  tell(4, low, window.low);
  tell(5, high, window.high);
  if (told.size === 0) return null;
  return rewriteMessage(
    new Walker(bytes),
    ({ number }) => (told.has(number) ? "drop" : "keep"),
    (out) => {
      for (const [number, version] of told) if (version !== null) out.message(number, semVer(version));
    },
  );
}

function isSame(announced: ApiVersion | null, version: Version | null): boolean {
  if (announced === null || version === null) return announced === version;
  const { major, minor, patch } = announced;
  return compareVersions([major, minor, patch], version) === 0;
}

/** A `SemVer`, canonical: zeros are left out. */
function semVer(version: Version): Buffer[] {
  const out = new FieldWriter();
  for (const [index, value] of version.slice(0, 3).entries()) if (value !== 0) out.varint(index + 1, value);
  return out.finish();
}
