import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import type { IoManager, ValueReference } from "../io-manager.ts";
import { ioManager } from "../io-manager.ts";
import type { MetadataInput } from "../metadata.ts";
import type { MetadataEntry } from "../step/metadata-entry.ts";

/** What a person is shown of a tried value. */
export interface TrialPreview {
  /** Undefined where nothing was stored. */
  readonly value: MetadataEntry | undefined;
  /** Its IO manager has no scratch form. */
  readonly inMemory: boolean;
}

const memoryScheme = "memory";

/** Where the value of a trial goes instead of where its IO manager would store it. */
export class Scratch {
  /** Absolute. */
  readonly folder: string;
  readonly #managers = new Map<IoManager | undefined, IoManager>();
  #written: { readonly value: unknown; readonly io: IoManager; readonly reference: ValueReference } | undefined;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** What stands for an IO manager: its own scratch form, or memory. */
  writer(io: IoManager): IoManager {
    const known = this.#managers.get(io);
    if (known !== undefined) return known;
    const inner = (io.scratch?.(this.folder) ?? this.#memory()) as IoManager<unknown>;
    const writer: IoManager<unknown> = {
      ...inner,
      ...(io.preview !== undefined && { preview: io.preview as NonNullable<IoManager<unknown>["preview"]> }),
      write: async (value, context) => {
        const written = await inner.write(value, context);
        this.#written = { value, io: writer, reference: { digest: "", sizeBytes: 0, ...written } };
        return written;
      },
    };
    this.#managers.set(io, writer);
    return writer;
  }

  /** What reads a value that was stored here; undefined for every other. */
  reader({ scheme, place }: ValueReference): IoManager | undefined {
    const written = this.#written;
    return written?.reference.scheme === scheme && written.reference.place === place ? written.io : undefined;
  }

  /** The value that was stored, and who can show it; undefined where nothing was. */
  get written(): { readonly value: unknown; readonly io: IoManager; readonly inMemory: boolean } | undefined {
    return this.#written && { ...this.#written, inMemory: this.#written.reference.scheme === memoryScheme };
  }

  /** For an IO manager that has no scratch form: the value stays as it is, and a person finds it in a file if it is text. */
  #memory(): IoManager<unknown> {
    let kept: unknown;
    return ioManager<unknown>({
      write: async (value, { versionId }) => {
        kept = value;
        const file = fileFor(value);
        if (file !== undefined) await writeFile(join(this.folder, file.name), file.text);
        return { scheme: memoryScheme, place: versionId, mediaType: "" };
      },
      read: () => kept,
    });
  }
}

function fileFor(value: unknown): { readonly name: string; readonly text: string } | undefined {
  if (typeof value === "string") return { name: "value.txt", text: value };
  try {
    const text = JSON.stringify(value, null, 2) as string | undefined;
    return text === undefined || text === "{}" ? undefined : { name: "value.json", text };
  } catch {
    return undefined;
  }
}

/** A value in the words of Node, bounded. */
export function printed(value: unknown): MetadataInput {
  if (typeof value === "string") return value;
  return inspect(value, { depth: 4, maxArrayLength: 20, maxStringLength: 400, breakLength: 100 });
}
