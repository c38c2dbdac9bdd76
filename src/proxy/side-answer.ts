import type { IncomingMessage, ServerResponse } from "node:http";

/** What of a response the answer needs; both `http.ServerResponse` and `SideResponse` have it. */
type Response = Pick<ServerResponse, "statusCode" | "setHeader" | "addTrailers" | "destroy"> &
  NodeJS.WritableStream;

/**
 * Passes the answer of the HTTP upstream on, body and trailers included. Throws, before anything is sent, if its status or headers cannot be
 * sent.
 */
export function passOn(_: unknown, response: Response, answer: IncomingMessage): void {
  const status = answer.statusCode ?? 0;
  if (status < 200) throw new Error(`it answered with the status ${status}`);
  response.statusCode = status;
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined) response.setHeader(name, value);
  }
  answer
    .on("end", () => {
      try {
        response.addTrailers(answer.trailers);
      } catch (error) {
        response.destroy(error as Error);
      }
    })
    .pipe(response);
}
