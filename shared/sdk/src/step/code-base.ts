import { relative, sep } from "node:path";
import type { SourceLocation, SourcePosition } from "@headgate/proto";
import { siteOf } from "../construction-site.ts";
import { stackFrames } from "./stack-frames.ts";
import type { StackFrame } from "./stack-frames.ts";
import type { BundleReference } from "./worker-protocol.ts";

/** The location's own source files: tells frames of user code from those of packages. */
export class CodeBase {
  readonly #bundle: BundleReference;
  /** Formatting a stack costs more than all else that is done for a definition. */
  readonly #siteFrames = new WeakMap<object, StackFrame | undefined>();

  constructor(bundle: BundleReference) {
    this.#bundle = bundle;
  }

  /** A path relative to the location's folder, with forward slashes. */
  nameOf(file: string): string {
    return relative(this.#bundle.folder, file).split(sep).join("/");
  }

  hashOf(file: string): string | undefined {
    return this.#bundle.sourceHashes[file];
  }

  /** The frames of a stack that lie in the location's own files, innermost first. */
  framesOf(stack: string | undefined): StackFrame[] {
    return stackFrames(stack).filter((frame) => this.#bundle.sourceHashes[frame.file] !== undefined);
  }

  positionOf(stack: string | undefined): SourcePosition | undefined {
    return this.#positionAt(this.framesOf(stack)[0]);
  }

  /** Where a definition was constructed. */
  definedAt(definition: object): SourcePosition | undefined {
    return this.#positionAt(this.siteFrameOf(definition));
  }

  /** The frame that constructed a definition. */
  siteFrameOf(definition: object): StackFrame | undefined {
    if (this.#siteFrames.has(definition)) return this.#siteFrames.get(definition);
    const frame = this.framesOf(siteOf(definition)?.stack)[0];
    this.#siteFrames.set(definition, frame);
    return frame;
  }

  #positionAt(frame: StackFrame | undefined): SourcePosition | undefined {
    return frame && { file: this.nameOf(frame.file), line: frame.line, column: frame.column };
  }

  sourceOf(definition: unknown): SourceLocation | undefined {
    if (typeof definition !== "object" || definition === null) return undefined;
    const frame = this.siteFrameOf(definition);
    return frame && { file: this.nameOf(frame.file), line: frame.line };
  }
}
