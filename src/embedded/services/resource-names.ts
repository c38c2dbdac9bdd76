import { type ElementId, knows } from "../../spec/ledger.ts";
import type { Level } from "../../spec/versions.ts";
import { parseResourceName } from "../../wire/resource-name.ts";
import { Status } from "../../wire/status.ts";
import { CallError } from "../call-error.ts";
import type { Compressor } from "../compressors.ts";
import type { Digests } from "../digests.ts";
import type { BlobDigest } from "../store/blob-store.ts";
import type { ServiceParts } from "./service-parts.ts";

/** What a name in a ByteStream call stands for. */
export interface NamedBlob {
  readonly digest: BlobDigest;
  /** How the bytes travel; null if as they are. */
  readonly compressor: Compressor | null;
}

/** Words that must not be segments of an instance name, and since when the grammar has them (D14). */
const RESERVED: Readonly<Record<string, ElementId>> = {
  blobs: "behaviour:reserved-segments",
  uploads: "behaviour:reserved-segments",
  actions: "behaviour:reserved-segments",
  actionResults: "behaviour:reserved-segments",
  operations: "behaviour:reserved-segments",
  capabilities: "behaviour:reserved-segments",
  "compressed-blobs": "behaviour:compressed-names",
};

/** Reads the names of blobs as a server of one level does (D14). Everything it throws is a CallError with INVALID_ARGUMENT. */
export class ResourceNames {
  private readonly level: Level;
  private readonly digests: Digests;
  private readonly compressors: readonly Compressor[];

  constructor({ level, digests, compressors }: ServiceParts) {
    this.level = level;
    this.digests = digests;
    this.compressors = compressors;
  }

  /** The blob in a name to read from. */
  read(name: string): NamedBlob {
    return this.parse(name, false);
  }

  /** The blob in a name to write to: one with `uploads` and an id. */
  write(name: string): NamedBlob {
    return this.parse(name, true);
  }

  private parse(name: string, upload: boolean): NamedBlob {
    const parsed = parseResourceName(name);
    if (parsed === null || (parsed.upload !== null) !== upload) throw this.malformed(name, upload);
    const { instance, compressor, digestFunction, digest } = parsed;
    const tooNew =
      (compressor !== null && !knows(this.level, "behaviour:compressed-names")) ||
      (digestFunction !== null && !knows(this.level, "behaviour:function-segment"));
    if (tooNew) throw this.malformed(name, upload);
    for (const segment of instance.split("/")) {
      const rule = Object.hasOwn(RESERVED, segment) ? RESERVED[segment] : undefined;
      if (rule !== undefined && knows(this.level, rule)) {
        throw invalid(`resource_name: "${segment}" must not be a part of an instance name`);
      }
    }
    return {
      digest: this.digests.check(digest, digestFunction, "resource_name"),
      compressor: compressor === null ? null : this.compressorAt(compressor),
    };
  }

  private compressorAt(segment: string): Compressor {
    const found = this.compressors.find(({ name }) => name.toLowerCase() === segment);
    if (found !== undefined) return found;
    const names = this.compressors.map(({ name }) => name.toLowerCase()).join(", ");
    throw invalid(`resource_name: this server does not know the compressor "${segment}", but ${names}`);
  }

  private malformed(name: string, upload: boolean): CallError {
    const form = `[INSTANCE/]${upload ? "uploads/ID/" : ""}blobs/HASH/SIZE`;
    return invalid(`resource_name: "${name.slice(0, 200)}" is not of the form ${form}`);
  }
}

function invalid(message: string): CallError {
  return new CallError(Status.INVALID_ARGUMENT, message);
}
