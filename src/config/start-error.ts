/**
 * Why the bridge could not start:
 * `config` (a value is wrong, or a file it names cannot be used), `listen` (an address cannot be listened on) or
 * `upstream` (the upstream must not be used, such as the bridge itself, or does not answer what a command asks).
 */
export type StartFailure = "config" | "listen" | "upstream";

/** A failure to start that the operator can mend. The message is a whole sentence for them: what, where and what to do. */
export class StartError extends Error {
  readonly kind: StartFailure;

  constructor(kind: StartFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartError";
    this.kind = kind;
  }
}
