import type { Attempt } from "./attempt.ts";
import type { DriveSession } from "./lane.ts";

/** Sends the commands of one attempt, or of all that one call computes: those go out as one. */
export function sendCommands(session: DriveSession, attempts: readonly Attempt[]): void {
  const commands = attempts.flatMap(({ command }) => command ?? []);
  const computation = attempts[0]?.computation;
  if (computation === undefined) session.send({ commands });
  else session.send({ computations: [{ computationId: computation.id, members: commands }] });
}
