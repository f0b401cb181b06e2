// violates: cli-loads-servers-late
import { readRuns } from "./storage/runs.ts";
import { asset } from "./http/assets.ts";
import { lookup } from "./cli/commands/run.ts";
import { serve } from "./cli/commands/serve.ts";
import { session } from "./grpc/session.ts";
import { drive } from "./daemons/drive.ts";
import { unknown } from "./daemons/unresolved.ts";
export const wired = [readRuns, asset, lookup, serve, session, drive, unknown, () => import("./cli/commands/dev.ts")];
