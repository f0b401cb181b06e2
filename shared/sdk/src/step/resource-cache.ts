import type { Resource, ResourceMap } from "../resource.ts";
import type { Log } from "../log.ts";
import type { Redaction } from "./redaction.ts";
import { readSetting } from "./setting.ts";
import { StepFailure } from "./step-failure.ts";

/** The resources of one worker process: created at first use, kept, disposed of in reverse order. */
export class ResourceCache {
  readonly #redaction: Redaction;
  readonly #onSecrets: () => void;
  readonly #created = new Map<Resource, Promise<unknown>>();

  constructor(redaction: Redaction, onSecrets: () => void = () => {}) {
    this.#redaction = redaction;
    this.#onSecrets = onSecrets;
  }

  /** @throws StepFailure `resource.create_failed`, `resource.variable_missing` */
  async values(resources: ResourceMap | undefined, log: Log): Promise<Record<string, unknown>> {
    const values: Record<string, unknown> = {};
    for (const [name, resource] of Object.entries(resources ?? {}))
      values[name] = await this.#value(name, resource, log);
    return values;
  }

  async #value(name: string, resource: Resource, log: Log): Promise<unknown> {
    let value = this.#created.get(resource);
    if (value === undefined) {
      value = this.#create(name, resource, log);
      this.#created.set(resource, value);
      // A resource that could not be created is tried again by the next step.
      value.catch(() => this.#created.delete(resource));
    }
    return value;
  }

  async #create(name: string, resource: Resource, log: Log): Promise<unknown> {
    const resources = await this.values(resource.resources, log);
    const secretsBefore = this.#redaction.values.length;
    try {
      const read = (setting: Parameters<typeof readSetting>[0]) => readSetting(setting, this.#redaction);
      const redact = (text: string) => void this.#redaction.add(text);
      return await resource.create({ read, redact, resources, log });
    } catch (error) {
      if (error instanceof StepFailure) throw error;
      const message = `The resource "${name}" could not be created: ${error instanceof Error ? error.message : String(error)}`;
      throw new StepFailure("resource.create_failed", message, "Mend what `create` of the resource needs.", {
        cause: error,
      });
    } finally {
      if (this.#redaction.values.length > secretsBefore) this.#onSecrets();
    }
  }

  /** Disposes of everything, newest first; a failing `dispose` does not keep the others from it. */
  async dispose(): Promise<void> {
    const created = [...this.#created].reverse();
    this.#created.clear();
    for (const [resource, value] of created) {
      try {
        await resource.dispose?.((await value) as never);
      } catch (error) {
        process.stderr.write(`A resource could not be disposed of: ${String(error)}\n`);
      }
    }
  }
}
