import type { ModuleEntry } from "../workspace/workspace.ts";

export interface LocationDatabasesOptions {
  /** Makes the database of a location if there is none, and gives its URL. */
  readonly open: (locationName: string) => Promise<string>;
  /** Variables that are set already: whoever set one wants another database. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told of a database that could not be made. Its location starts without it, and the others are not concerned. */
  readonly failed: (locationName: string, error: unknown) => void;
}

/** The databases that entries of the workspace ask for with `database`, in development. */
export class LocationDatabases {
  readonly #options: LocationDatabasesOptions;
  readonly #urls = new Map<string, string>();

  constructor(options: LocationDatabasesOptions) {
    this.#options = options;
  }

  /** Resolves once every entry that asks for a database has one, or its failure was told. */
  async prepare(entries: readonly ModuleEntry[]): Promise<void> {
    const { open, env, failed } = this.#options;
    // One after another: each of them changes rights that are the server's, which two at once cannot.
    for (const { locationName, database } of entries) {
      if (database === undefined || env[database] || this.#urls.has(locationName)) continue;
      try {
        this.#urls.set(locationName, await open(locationName));
      } catch (error) {
        failed(locationName, error);
      }
    }
  }

  /** The variable with the URL, for a location that was given a database. */
  variablesOf({ locationName, database }: ModuleEntry): Readonly<Record<string, string>> {
    const url = this.#urls.get(locationName);
    return database === undefined || url === undefined ? {} : { [database]: url };
  }
}
