import { CompressionError } from "../../compression/compression-error.ts";
import type { Compressor } from "../../compression/compressors.ts";
import { decode } from "../../compression/decode.ts";
import type { BridgeError } from "../../spec/bridge-error.ts";
import { type WriteRequest, writeWriteRequest } from "../../wire/byte-stream.ts";
import type { Hasher } from "../../wire/hasher.ts";
import { formatResourceName, type ResourceName } from "../../wire/resource-name.ts";
import type { Upload } from "../committed-size/upload.ts";
import { brokenUpload } from "./refusals.ts";

const EMPTY = Buffer.alloc(0);

/** What a compressed upload is. */
interface Packed {
  readonly upload: Upload;
  /** Its first request, which was taken from it. */
  readonly first: WriteRequest;
  readonly name: ResourceName;
  readonly compressor: Compressor;
  /** Hashes the blob; null where it cannot be, or begins elsewhere. */
  readonly hasher: Hasher | null;
}

/**
 * The requests of a plain upload that a compressed one becomes: the same id, the same offset to begin with, which counts uncompressed bytes, and a new frame from
 * there on. One piece is held back, so that `finish_write` only ever goes with the last byte of a blob that is what it is called: what is wrong is refused before.
 */
export class UnpackedUpload {
  readonly #packed: Packed;
  /** Where the data of the next request belong by the client's count. */
  #due: number;

  constructor(packed: Packed) {
    this.#packed = packed;
    this.#due = packed.first.writeOffset;
  }

  /** @throws BridgeError for data that are broken, or not the blob; offsets that do not follow; another name. */
  async *requests(): AsyncGenerator<readonly Buffer[]> {
    const { upload, first, name, hasher } = this.#packed;
    const { sizeBytes } = name.digest;
    if (first.writeOffset < 0 || first.writeOffset > sizeBytes)
      throw this.#broken(`its first write_offset is ${first.writeOffset}`, "write_offset");
    let writeOffset = first.writeOffset;
    let resourceName = formatResourceName({ ...name, compressor: null });
    const request = (data: Buffer, finishWrite: boolean): readonly Buffer[] => {
      const message = writeWriteRequest({ resourceName, writeOffset, finishWrite, data });
      writeOffset += data.length;
      resourceName = "";
      return message;
    };
    let held: Buffer = EMPTY;
    for await (const piece of this.#plain()) {
      hasher?.update(piece);
      if (held.length > 0) yield request(held, false);
      held = piece;
    }
    // The client may come back for the rest.
    if (!upload.finished) return yield request(held, false);
    const end = writeOffset + held.length;
    if (end !== sizeBytes) throw this.#broken(`its data end at ${end} bytes`, "data");
    const hash = hasher?.finish();
    if (hash !== undefined && hash !== name.digest.hash.toLowerCase())
      throw this.#broken(`its data have the hash ${hash}`, "data");
    yield request(held, true);
  }

  async *#plain(): AsyncGenerator<Buffer> {
    const { upload, first, name, compressor } = this.#packed;
    try {
      yield* decode(compressor, this.#data(), name.digest.sizeBytes - first.writeOffset);
    } catch (error) {
      if (!(error instanceof CompressionError)) throw error;
      // Of nothing, some send nothing; and who has not said that this is all may break off anywhere.
      const isCut = error.problem === "truncated" && (!upload.finished || this.#due === first.writeOffset);
      if (!isCut) throw this.#broken(error.message, "data");
    }
  }

  async *#data(): AsyncGenerator<Buffer> {
    const { upload, first } = this.#packed;
    for (let request: WriteRequest | undefined = first; request !== undefined; ) {
      this.#check(request);
      this.#due += request.data.length;
      yield request.data;
      if (request.finishWrite) return;
      request = (await upload.next())?.request;
    }
  }

  #check({ resourceName, writeOffset }: WriteRequest): void {
    const { first } = this.#packed;
    if (resourceName !== "" && resourceName !== first.resourceName)
      throw this.#broken("another name stands in a later request", "resource_name");
    if (writeOffset === this.#due) return;
    throw this.#broken(
      `a write_offset is ${writeOffset}, where the compressed bytes so far end at ${this.#due}`,
      "write_offset",
    );
  }

  #broken(why: string, field: string): BridgeError {
    const { name, compressor } = this.#packed;
    return brokenUpload(name.digest, compressor.segment, why, field);
  }
}
