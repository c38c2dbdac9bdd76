import type { Compressor } from "../../compression/compressors.ts";
import { parseResourceName } from "../../wire/resource-name.ts";
import { Status } from "../../wire/status.ts";
import { answerAs } from "../behaviour/answer-as.ts";
import type { Behaviour } from "../behaviour/behaviour.ts";
import { checkInstance, reservedWord } from "../behaviour/instances.ts";
import { CallError } from "../call-error.ts";
import type { Digests } from "../digests.ts";
import type { BlobDigest } from "../store/blob-store.ts";
import type { ServiceParts } from "./service-parts.ts";

/** What a name in a ByteStream call stands for. */
export interface NamedBlob {
  readonly digest: BlobDigest;
  /** How the bytes travel; null if as they are. */
  readonly compressor: Compressor | null;
}

/** Reads the names of blobs as one server does (D14). Everything it throws is a CallError, with INVALID_ARGUMENT unless the server has another. */
export class ResourceNames {
  private readonly behaviour: Behaviour;
  private readonly digests: Digests;

  constructor({ behaviour, digests }: ServiceParts) {
    this.behaviour = behaviour;
    this.digests = digests;
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
    const { instance, compressor, digestFunction, digest, metadata } = parsed;
    const { names } = this.behaviour;
    const beyond =
      (compressor !== null && !names.compressed) ||
      (digestFunction !== null && !names.functionSegment) ||
      (metadata !== null && !names.trailing);
    if (beyond) throw this.malformed(name, upload);
    const word = reservedWord(this.behaviour.level, instance);
    if (word !== null) throw invalid(`resource_name: "${word}" must not be a part of an instance name`);
    checkInstance(this.behaviour, instance);
    return {
      digest: this.digests.check(digest, digestFunction, "resource_name"),
      compressor: compressor === null ? null : this.compressorAt(compressor),
    };
  }

  private compressorAt(segment: string): Compressor {
    const { compressors } = this.behaviour.transfer;
    const found = compressors.find(({ name }) => name.toLowerCase() === segment);
    if (found !== undefined) return found;
    const names = compressors.map(({ name }) => name.toLowerCase()).join(", ");
    throw invalid(`resource_name: this server does not know the compressor "${segment}", but ${names}`);
  }

  private malformed(name: string, upload: boolean): CallError {
    answerAs(this.behaviour, "unreadable-resource-name");
    const form = `[INSTANCE/]${upload ? "uploads/ID/" : ""}blobs/HASH/SIZE`;
    return invalid(`resource_name: "${name.slice(0, 200)}" is not of the form ${form}`);
  }
}

function invalid(message: string): CallError {
  return new CallError(Status.INVALID_ARGUMENT, message);
}
