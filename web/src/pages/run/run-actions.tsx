import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { Answered } from "../../api/answers.ts";
import { Button } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { Problem } from "../../parts/notice.tsx";
import { useAction } from "../../parts/use-action.ts";
import styles from "./run-page.module.css";

/** What can be done with a run: it is canceled while it goes on, and launched again once it is over. */
export function RunActions({ run }: { readonly run: Answered<"getRun"> }) {
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const cancel = useAction("cancelRun", () => setAsking(false));
  const retry = useAction("retryRun", ({ id }) => void navigate({ to: "/runs/$id", params: { id } }));
  const params = { id: run.id };
  if (run.endedAt === null) {
    return (
      <>
        <Button kind="danger" disabled={run.state === "canceling"} onClick={() => setAsking(true)}>
          {run.state === "canceling" ? "Canceling" : "Cancel run"}
        </Button>
        <Dialog open={asking} close={() => setAsking(false)} title="Cancel this run?">
          <p>Steps under way are told to stop. What was made stays, and a retry from failure makes the rest.</p>
          {cancel.error === null ? null : <Problem error={cancel.error} />}
          <div className={styles.buttons}>
            <Button onClick={() => setAsking(false)}>Let it run</Button>
            <Button kind="danger" disabled={cancel.isPending} onClick={() => cancel.mutate({ params })}>
              Cancel run
            </Button>
          </div>
        </Dialog>
      </>
    );
  }
  const succeeded = run.state === "succeeded";
  return (
    <>
      {retry.error === null ? null : <Problem error={retry.error} />}
      {succeeded ? null : (
        <Button
          kind="primary"
          disabled={retry.isPending}
          onClick={() => retry.mutate({ params, body: { fromFailure: true } })}
        >
          Retry from failure
        </Button>
      )}
      <Button disabled={retry.isPending} onClick={() => retry.mutate({ params, body: { fromFailure: false } })}>
        Run all again
      </Button>
    </>
  );
}
