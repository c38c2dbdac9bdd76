/** BLAKE3 (D09), which Node does not have: by one WebAssembly machine for all hashes under way. */
import { createBLAKE3 } from "hash-wasm";

/** It is synchronous once it is there; a machine of its own for each hash would take a hundred times what the state of one does. */
const machine = await createBLAKE3();

/** The hash whose state is in the machine. */
let atWork: Blake3 | null = null;

/** Hashes a blob that comes in pieces. */
export class Blake3 {
  /** Of a hash that another one has put aside; null for one that has not begun. */
  private state: Uint8Array | null = null;

  update(chunk: Uint8Array): void {
    this.resume();
    machine.update(chunk);
  }

  /** The hash of all that came, in hexadecimal. Call it once. */
  finish(): string {
    this.resume();
    atWork = null;
    return machine.digest("hex");
  }

  private resume(): void {
    if (atWork === this) return;
    if (atWork !== null) atWork.state = machine.save();
    if (this.state === null) machine.init();
    else machine.load(this.state);
    atWork = this;
  }
}
