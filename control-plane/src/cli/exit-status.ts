/** What a command ends with. A promise to scripts: see `docs/reference/cli.md`. */
export const exitStatus = {
  succeeded: 0,
  failed: 1,
  /** Refused by the control plane, or used in a wrong way. */
  refused: 2,
  blocked: 3,
  canceled: 4,
  /** Ctrl-C: what was started goes on. */
  detached: 130,
} as const;

export function exitStatusOfRun(state: string): number {
  switch (state) {
    case "succeeded":
      return exitStatus.succeeded;
    case "blocked":
      return exitStatus.blocked;
    case "canceled":
      return exitStatus.canceled;
    default:
      return exitStatus.failed;
  }
}
