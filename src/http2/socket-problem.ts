/** What went wrong with a socket, as part of a sentence for people. Errors of TLS lose their source lines and numbers. */
export function socketProblem(error: NodeJS.ErrnoException): string {
  const { reason } = error as { reason?: unknown };
  if (error.code?.startsWith("ERR_SSL_") && typeof reason === "string") return `TLS failed: ${reason}`;
  switch (error.code) {
    case "ECONNREFUSED":
      return "connection refused";
    case "ECONNRESET":
      return "the connection was reset";
    case "EPIPE":
      return "the peer closed the connection";
    case "ENOENT":
      return "there is no such socket";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "no route to the host";
    case "ETIMEDOUT":
      return "the connection timed out";
    default:
      return error.message;
  }
}
