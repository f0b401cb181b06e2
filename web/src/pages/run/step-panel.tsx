import { X } from "lucide-react";
import { Button } from "../../parts/button.tsx";
import { AssetLink } from "../../parts/links.tsx";
import { Lasted } from "../../parts/time.tsx";
import { ReasonList } from "../../parts/reasons.tsx";
import { attemptLooks, stepLooks } from "../../status/status-dictionary.ts";
import { StatusWord } from "../../status/status-word.tsx";
import type { Step } from "./gantt.tsx";
import styles from "./run-page.module.css";

/** What became of one step, and why: an error with its place, or the gate that blocks it and what opens that. */
export function StepPanel({ step, close }: { readonly step: Step; readonly close: () => void }) {
  const { lastAttempt, error } = step;
  return (
    <section className={styles.stepPanel} aria-label="Step">
      <header>
        <StatusWord look={stepLooks[step.state]} name={step.state} />
        <AssetLink asset={step.asset} partition={step.partition} />
        {step.kind === "checks" ? <span>checks only</span> : null}
        <span className={styles.muted}>at {step.location}</span>
        {step.startedAt === null ? null : (
          <span className={styles.muted}>
            <Lasted from={step.startedAt} to={step.endedAt} />
          </span>
        )}
        {lastAttempt === null ? (
          <span className={styles.muted}>never started</span>
        ) : (
          <span className={styles.muted}>
            attempt {lastAttempt.number}: <StatusWord look={attemptLooks[lastAttempt.state]} name={lastAttempt.state} />
          </span>
        )}
        <Button kind="quiet" aria-label="Show all steps" onClick={close}>
          <X size={15} />
        </Button>
      </header>
      {step.reasons.length === 0 ? null : <ReasonList reasons={step.reasons} remedies={step.remedies} />}
      {error === null ? null : (
        <div className={styles.error}>
          <p>
            <strong>{error.message}</strong> {error.hint}
          </p>
          <p className={styles.muted}>
            <code>{error.code}</code>
            {error.position === null ? null : (
              <code>
                {" "}
                {error.position.file}:{error.position.line}:{error.position.column}
              </code>
            )}
          </p>
          {error.stack === null ? null : (
            <details>
              <summary>Stack</summary>
              <pre>{error.stack}</pre>
            </details>
          )}
        </div>
      )}
    </section>
  );
}
