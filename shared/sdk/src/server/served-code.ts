import { ManifestEntry_Kind } from "@headgate/proto";
import type { LoadedLocation } from "../load/load-location.ts";
import { loadLocation } from "../load/load-location.ts";
import type { LocationSources } from "../load/bundle.ts";
import { BundleUse } from "../load/prune-bundles.ts";
import { manifestOf } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";
import { WatchedFiles } from "./watched-files.ts";

/** A load that takes longer gives way to a newer save: a module that hangs must not hold up the one that mends it. */
const patienceMs = 2_000;
const patienceMsMax = 30_000;

/** Who wants to know of saves; both are told when the save was, in Unix milliseconds. */
export interface SaveListener {
  /** Something was saved, and is about to be loaded. */
  readonly saved?: ((savedAtMs: number) => void) | undefined;
  /** A file of the code was saved and loaded, and every definition is what it was. */
  readonly unchanged?: ((savedAtMs: number) => void) | undefined;
}

/** The code that an instance serves: loaded at start, and again when a source changes. */
export class ServedCode {
  readonly #sources: LocationSources;
  readonly #bundleUse = new BundleUse();
  readonly #loaded: (location: LoadedLocation, manifest: Manifest) => void;
  readonly #listener: SaveListener;
  /** When a file of the code was saved that is not loaded yet, in Unix milliseconds. */
  #savedAtMs: number | undefined;
  #watched: WatchedFiles | undefined;
  #loading: Promise<void> | undefined;
  #isDirty = false;
  #current: { readonly stale: AbortController; readonly sinceMs: number; timer?: NodeJS.Timeout } | undefined;
  /** Doubles with each load that gave way, so that a folder which never rests is loaded all the same. */
  #patienceMs = patienceMs;
  #location: LoadedLocation | undefined;
  /** What was read last good. */
  #goodFiles: readonly string[] = [];
  #manifest: Manifest | undefined;

  /** `loaded` is called after the first load and after each that changed something. */
  constructor(
    sources: LocationSources,
    loaded: (location: LoadedLocation, manifest: Manifest) => void,
    listener: SaveListener = {},
  ) {
    this.#sources = sources;
    this.#loaded = loaded;
    this.#listener = listener;
  }

  get manifest(): Manifest | undefined {
    return this.#manifest;
  }

  /** It defines schedules or sensors, those that did not load included. */
  get hasAutomations(): boolean {
    const kinds = [ManifestEntry_Kind.KIND_SCHEDULE, ManifestEntry_Kind.KIND_SENSOR];
    return this.#manifest?.entries.some(({ kind }) => kinds.includes(kind)) === true;
  }

  get buildId(): string {
    return this.#location?.buildId ?? "";
  }

  get missingVariables(): readonly string[] {
    return this.#location?.missingVariables ?? [];
  }

  get team(): string {
    return this.#location?.team ?? "";
  }

  /** Loads again until no source changed meanwhile. */
  reload(): Promise<void> {
    this.#isDirty = true;
    this.#giveWay();
    this.#loading ??= this.#loadWhileDirty().finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  watch(): void {
    this.#watched = new WatchedFiles(this.#sources.folder, (savedAtMs, isOfCode) => {
      if (isOfCode) this.#savedAtMs ??= savedAtMs;
      this.#listener.saved?.(savedAtMs);
      void this.reload();
    });
    this.#watched.look(this.#location?.files ?? []);
  }

  /** Ends the load under way once it has had its time. */
  #giveWay(): void {
    const current = this.#current;
    if (current === undefined || current.timer !== undefined) return;
    const leftMs = current.sinceMs + this.#patienceMs - performance.now();
    current.timer = setTimeout(() => current.stale.abort(new Error("A newer save is loaded.")), Math.max(0, leftMs));
  }

  close(): void {
    this.#current?.stale.abort(new Error("The location closes."));
    this.#bundleUse.close();
    this.#watched?.close();
  }

  async #loadWhileDirty(): Promise<void> {
    while (this.#isDirty) {
      this.#isDirty = false;
      const current = { stale: new AbortController(), sinceMs: performance.now() };
      this.#current = current;
      try {
        this.#take(await loadLocation(this.#sources, current.stale.signal));
        this.#patienceMs = patienceMs;
      } catch (error) {
        if (current.stale.signal.aborted) {
          this.#patienceMs = Math.min(2 * this.#patienceMs, patienceMsMax);
          continue;
        }
        process.stderr.write(
          `The location could not be loaded: ${error instanceof Error ? error.message : String(error)}\n`,
        );
        if (this.#location === undefined) throw error;
      } finally {
        clearTimeout(this.#current?.timer);
        this.#current = undefined;
      }
    }
  }

  #take(location: LoadedLocation): void {
    const manifest = manifestOf(location);
    const savedAtMs = this.#savedAtMs;
    this.#savedAtMs = undefined;
    if (savedAtMs !== undefined && manifest.hash === this.#manifest?.hash) this.#listener.unchanged?.(savedAtMs);
    const isSame =
      location.bundle?.entry === this.#location?.bundle?.entry &&
      location.packagesDigest === this.#location?.packagesDigest &&
      manifest.hash === this.#manifest?.hash;
    if (location.bundle !== undefined) this.#goodFiles = location.files;
    // Broken saves change which files are read, one after another; what was read last good is still worth a look.
    this.#watched?.look([...new Set([...location.files, ...this.#goodFiles])]);
    this.#location = location;
    this.#manifest = manifest;
    if (location.bundle !== undefined) this.#bundleUse.use(location.bundle.entry);
    if (isSame) return;
    printProblems(manifest);
    this.#loaded(location, manifest);
  }
}

/** A person who saves a file sees at once what is wrong and where. */
function printProblems(manifest: Manifest): void {
  for (const { key, error } of manifest.entries) {
    if (error === undefined) continue;
    const place = error.source?.line ? `${error.source.file}:${error.source.line}` : key;
    process.stderr.write(
      `${place}: ${error.message} [${error.code}]\n${error.hint === "" ? "" : `    ${error.hint}\n`}`,
    );
  }
}
