import type { Kysely } from "kysely";
import type pg from "pg";
import type { Graph } from "../domain/graph.ts";
import type { Schema } from "../storage/schema.ts";
import type { Workspace } from "../workspace/workspace.ts";
import type { EventFeed } from "./event-feed.ts";
import type { ApiToken } from "./tokens.ts";

/** What the API shows of workspace.yaml. */
export type WorkspaceView = Pick<Workspace, "teams" | "queue" | "entries" | "problems">;

/** What the HTTP API stands on; `main.ts` puts it together. */
export interface ApiContext {
  readonly pool: pg.Pool;
  readonly db: Kysely<Schema>;
  /** The newest asset graph. */
  graph(): Graph;
  /** Makes `graph` as new as everything that was committed. Absent: it never changes. */
  refreshGraph?(): Promise<unknown>;
  workspace(): WorkspaceView;
  /** Unix milliseconds. */
  now(): number;
  /** A UUIDv7. */
  newId(): string;
  readonly events: EventFeed;
  /** Who acts where no tokens are asked for: the operating system's user. */
  readonly actor: string;
  /** Absent: no token is asked for, and the server listens on loopback only. */
  readonly tokens?: readonly ApiToken[] | undefined;
}
