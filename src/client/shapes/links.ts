/** Symlinks among outputs (D25). */
import { DIRECTORY, directory, file, link, type ShapeFacts } from "./shape.ts";

/** The shapes. */
export const LINK_SHAPES = {
  "link-to-file": {
    title: "a symlink to a file",
    script: "echo real > real.txt; ln -s real.txt link.txt",
    outputs: { "link.txt": link("real.txt"), "real.txt": file("real\n") },
  },
  "link-to-directory": {
    title: "a symlink to a directory",
    script: "mkdir -p real; echo in > real/in.txt; rm -rf link; ln -s real link",
    outputs: { link: link("real", "directory"), real: directory({ "in.txt": file("in\n") }) },
  },
  "dangling-link": {
    title: "a symlink that leads nowhere",
    script: "ln -s nowhere link",
    outputs: { link: link("nowhere") },
  },
  "absolute-link": {
    title: "an absolute symlink, that leads nowhere",
    script: "ln -s /nowhere/at/all link",
    outputs: { link: link("/nowhere/at/all") },
  },
  "links-in-directory": {
    title: "symlinks in an output directory: to a file, to a directory, to nowhere",
    script:
      "mkdir -p out/sub; cd out; echo real > real.txt; ln -s real.txt a; ln -s ../real.txt sub/b; ln -s sub c; ln -s none d",
    outputs: {
      out: directory({
        "real.txt": file("real\n"),
        a: { kind: "symlink", target: "real.txt" },
        c: { kind: "symlink", target: "sub" },
        d: { kind: "symlink", target: "none" },
        sub: DIRECTORY,
        "sub/b": { kind: "symlink", target: "../real.txt" },
      }),
    },
  },
} as const satisfies Readonly<Record<string, ShapeFacts>>;
