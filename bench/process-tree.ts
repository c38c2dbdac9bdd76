/** What the kernel says of a process and its descendants. */
import { readdirSync, readFileSync } from "node:fs";

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // it ended meanwhile
  }
}

function numbers(path: string): number[] {
  return readdirSync(path)
    .map(Number)
    .filter((name) => Number.isInteger(name));
}

/** A process and all that it started, by id. */
function treeOf(root: number): number[] {
  const childrenOf = new Map<number, number[]>();
  for (const pid of numbers("/proc")) {
    const parent = Number(read(`/proc/${pid}/stat`)?.split(") ").pop()?.split(" ")[1]);
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), pid]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(childrenOf.get(pid) ?? []));
  return tree;
}

/**
 * Seconds of CPU, user and system, that the threads alive have used. The scheduler's count: the sum of `utime` and `stime`, without
 * their grain of 10 ms.
 */
export function cpuSeconds(root: number): number {
  let nanoseconds = 0;
  for (const pid of treeOf(root)) {
    for (const thread of numbers(`/proc/${pid}/task`)) {
      nanoseconds += Number(read(`/proc/${pid}/task/${thread}/schedstat`)?.split(" ")[0] ?? 0);
    }
  }
  return nanoseconds / 1e9;
}

/** Bytes of memory that the processes have resident, pages they share counted for each. */
export function residentBytes(root: number): number {
  let kibibytes = 0;
  for (const pid of treeOf(root)) {
    kibibytes += Number(/^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1] ?? 0);
  }
  return kibibytes * 1024;
}
