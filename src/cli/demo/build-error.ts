/** A build of the demo that did not do what it should. The message is for people. */
export class BuildError extends Error {
  override readonly name = "BuildError";
}
