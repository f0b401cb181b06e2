import type { AttemptReport } from "../domain/attempt-report.ts";
import type { HeldAttempt, RefusedCommand } from "../grpc/decode-frame.ts";
import type { AttemptPosition, Session } from "../grpc/session.ts";

/** Who drives runs, as the sync of locations sees it. What it throws ends the session. */
export interface LocationListener {
  /** Credits are the total that the instance takes from this session at once. */
  sessionOpened(
    location: string,
    instanceId: string,
    session: Session,
    credits: number,
    held: readonly HeldAttempt[],
  ): void;
  reports(location: string, instanceId: string, reports: readonly AttemptReport[]): void;
  refused(location: string, instanceId: string, refused: readonly RefusedCommand[]): void;
  credits(location: string, instanceId: string, credits: number): void;
  /** Once for each `sessionOpened`. */
  sessionClosed(location: string, instanceId: string): void;
  /** What is in flight at the location, for the hello of a new session. */
  inFlight(location: string): readonly AttemptPosition[];
}
