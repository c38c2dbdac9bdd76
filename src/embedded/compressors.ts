/** Which compressors servers have (D15, D17). */
import { COMPRESSORS, type Compressor } from "../compression/compressors.ts";
import { type ElementId, knows } from "../spec/ledger.ts";
import type { Level } from "../spec/versions.ts";

/** The compressors that a server of this level offers, the preferred one first. */
export function offeredCompressors(level: Level): readonly Compressor[] {
  return COMPRESSORS.filter(({ name }) =>
    knows(level, `build.bazel.remote.execution.v2.Compressor.Value.${name}` as ElementId),
  );
}

/** The compressors with these names of enum values; there is none for IDENTITY. */
export function compressorsNamed(names: readonly string[]): readonly Compressor[] {
  return names.flatMap((name) => COMPRESSORS.filter((compressor) => compressor.name === name));
}
