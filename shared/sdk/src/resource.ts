import { rememberSite } from "./construction-site.ts";
import type { Setting } from "./reference.ts";
import type { Log } from "./log.ts";

/** What `create` of a resource receives. */
export interface ResourceContext<R extends ResourceMap = ResourceMap> {
  /** Resolves a setting; throws `resource.variable_missing` when the variable is not set. */
  read(setting: Setting): string;
  /** Has a text struck out of logs, metadata and errors as the value of a secret is: the password within a URL. */
  redact(text: string): void;
  readonly resources: ResourceValues<R>;
  readonly log: Log;
}

/** How a resource is made in a worker process, and given up again. */
export interface ResourceOptions<T, R extends ResourceMap> {
  /** Other resources that this one needs. */
  readonly resources?: R;
  /** Called once a worker process, at first use. */
  readonly create: (context: ResourceContext<R>) => T | Promise<T>;
  /** Called when the worker process ends in an orderly way. */
  readonly dispose?: (value: Awaited<T>) => void | Promise<void>;
}

/** Something that steps share within a worker process: a connection, a client, a cache. */
export interface Resource<T = unknown> {
  readonly kind: "resource";
  readonly resources?: ResourceMap;
  readonly create: (context: ResourceContext) => T | Promise<T>;
  readonly dispose?: (value: never) => void | Promise<void>;
}

/** Resources by the name under which compute, checks and IO managers receive them. */
export type ResourceMap = Readonly<Record<string, Resource>>;

/** What `context.resources` holds for these resources. */
export type ResourceValues<R extends ResourceMap> = {
  readonly [Name in keyof R]: R[Name] extends Resource<infer T> ? Awaited<T> : never;
};

/** Declares a resource; it is created in the worker process that first needs it. */
export function resource<T, R extends ResourceMap = Record<never, never>>(
  options: ResourceOptions<T, R>,
): Resource<Awaited<T>> {
  return rememberSite({ ...options, kind: "resource" }, resource) as unknown as Resource<Awaited<T>>;
}
