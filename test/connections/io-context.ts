import { randomUUID } from "node:crypto";
import type { IoContext, IoManager, Resource, ResourceContext, ResourceMap } from "@headgate/sdk";

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Resources made as a worker makes them: once each, disposed together. */
export class OpenResources {
  readonly #values = new Map<Resource, unknown>();
  /** What resources asked to have struck out. */
  readonly redacted = new Set<string>();

  async open(resources: ResourceMap): Promise<Record<string, unknown>> {
    const opened: Record<string, unknown> = {};
    for (const [name, definition] of Object.entries(resources)) {
      if (!this.#values.has(definition)) {
        const context: ResourceContext = {
          read: (setting) => {
            if (typeof setting === "string") return setting;
            return process.env[setting.name] ?? ("default" in setting ? (setting.default ?? "") : "");
          },
          redact: (text) => void this.redacted.add(text),
          resources: await this.open(definition.resources ?? {}),
          log,
        };
        this.#values.set(definition, await definition.create(context));
      }
      opened[name] = this.#values.get(definition);
    }
    return opened;
  }

  async dispose(): Promise<void> {
    for (const [definition, value] of this.#values) await definition.dispose?.(value as never);
  }

  /** The context in which a worker writes or reads one version's value. */
  async ioContext(io: IoManager, version: Partial<IoContext> = {}): Promise<IoContext> {
    return {
      assetKey: "team/asset",
      partitionKey: "2001-01",
      versionId: randomUUID(),
      inPlace: false,
      resources: await this.open(io.resources ?? {}),
      log,
      signal: new AbortController().signal,
      ...version,
    };
  }
}
