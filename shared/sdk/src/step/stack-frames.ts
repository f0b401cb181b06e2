import { fileURLToPath } from "node:url";

export interface StackFrame {
  /** Absolute path. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const frameAt = /^\s*at (?:.*?\()?((?:file:\/\/)?\/[^()]*?|[A-Za-z]:\\[^()]*?):(\d+):(\d+)\)?$/;

/** The frames of a stack that lie in files, innermost first; source-mapped where the process maps sources. */
export function stackFrames(stack: string | undefined): StackFrame[] {
  const frames: StackFrame[] = [];
  for (const line of stack?.split("\n") ?? []) {
    const match = frameAt.exec(line.replace(/^(\s*at )async /, "$1"));
    if (match === null) continue;
    const [, place = "", atLine, atColumn] = match;
    const file = place.startsWith("file://") ? pathOf(place) : place;
    if (file !== undefined) frames.push({ file, line: Number(atLine), column: Number(atColumn) });
  }
  return frames;
}

function pathOf(url: string): string | undefined {
  try {
    return fileURLToPath(url.replace(/\?.*$/, ""));
  } catch {
    return undefined;
  }
}
