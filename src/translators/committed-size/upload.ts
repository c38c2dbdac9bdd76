import { readWriteRequest, type WriteRequest } from "../../wire/byte-stream.ts";

/** The requests of an upload as they come, counted. Whoever takes them may stop before the end: the rest can still be read. */
export class Upload {
  /** Where the next data belong by the client's count: its first offset and all bytes since. */
  end = 0;
  /** Whether the client has said that this was all. */
  finished = false;
  /** Whether the client sends no more. */
  ended = false;
  readonly #requests: AsyncIterator<Buffer>;
  #begun = false;

  constructor(requests: AsyncIterable<Buffer>) {
    this.#requests = requests[Symbol.asyncIterator]();
  }

  /** The next request, and its message; null after the last. @throws WireError for broken bytes. */
  async next(): Promise<{ readonly message: Buffer; readonly request: WriteRequest } | null> {
    const { value: message, done } = await this.#requests.next();
    if (done === true) {
      this.ended = true;
      return null;
    }
    const request = readWriteRequest(message);
    if (!this.#begun) this.end = request.writeOffset;
    this.#begun = true;
    this.end += request.data.length;
    this.finished ||= request.finishWrite;
    return { message, request };
  }

  /** The messages of what is left. */
  async *messages(): AsyncGenerator<Buffer> {
    for (let next = await this.next(); next !== null; next = await this.next()) yield next.message;
  }

  /** Reads what is left without a use for it. */
  async drain(): Promise<void> {
    while ((await this.next()) !== null);
  }
}
