/** Shapes that are too large to be tried with everybody. Each is made when it is asked for, the same every time. */
import type { ShapeOutput } from "./shape.ts";
import { file, input, type ShapeFacts } from "./shape.ts";

/** Output files of the one. */
const OUTPUTS = 1_000;
/** Input directories of the other, and files in each. */
const DIRECTORIES = 200;
const FILES = 100;

/** The heavy shapes by name. */
export const HEAVY_SHAPES = {
  "thousand-outputs": (): ShapeFacts => {
    const outputs: Record<string, ShapeOutput> = {};
    for (let i = 0; i < OUTPUTS; i++) outputs[`out/${i % 10}/${numbered(i)}.txt`] = file(`${numbered(i)}\n`);
    return {
      title: `${OUTPUTS} output files in ten directories`,
      script: `mkdir -p out; cd out; for d in 0 1 2 3 4 5 6 7 8 9; do mkdir -p $d; for h in 0 1 2 3 4 5 6 7 8 9; do for t in 0 1 2 3 4 5 6 7 8 9; do n=0$h$t$d; echo $n > $d/$n.txt; done; done; done`,
      outputs,
    };
  },
  "large-tree": (): ShapeFacts => {
    const inputs: Record<string, ReturnType<typeof input>> = {};
    for (let d = 0; d < DIRECTORIES; d++) {
      // Every tenth file has the content that others have as well.
      for (let f = 0; f < FILES; f++) {
        inputs[`tree/${numbered(d)}/${numbered(f)}.txt`] = input(f % 10 === 0 ? "same\n" : `${d} ${f}\n`);
      }
    }
    return {
      title: `an input tree of ${DIRECTORIES * FILES} files`,
      inputs,
      script: "find tree -type f | wc -l | tr -d ' '; cat tree/0123/0045.txt",
      stdout: `${DIRECTORIES * FILES}\n123 45\n`,
    };
  },
} as const satisfies Readonly<Record<string, () => ShapeFacts>>;

/** Names of the heavy samples. */
export type HeavyShape = keyof typeof HEAVY_SHAPES;

function numbered(index: number): string {
  return String(index).padStart(4, "0");
}
