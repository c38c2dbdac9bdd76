import type { MetadataHook, Pair } from "./translator.ts";

/** The header that repeats the resource name of a ByteStream call, for what routes by it (D06), in lower case. */
const NAME_HEADER = "build.bazel.remote.execution.v2.resource-name";

/** Keeps the header in step: to be declared wherever a hook renames. Does to each value what `rename` does to the name. */
export function nameHeader(rename: (name: string, pair: Pair) => string): MetadataHook {
  return {
    name: NAME_HEADER,
    rewrite: (values, pair) => {
      const renamed = values.map((value) => rename(value, pair));
      return renamed.every((value, index) => value === values[index]) ? null : renamed;
    },
  };
}
