import type { ReactNode } from "react";
import { ApiProblem } from "../api/api-problem.ts";
import { Button } from "./button.tsx";
import styles from "./notice.module.css";

/** Says why there is nothing here, and the one thing to do about it. */
export function Empty({ children, command }: { readonly children: ReactNode; readonly command?: string }) {
  return (
    <div className={styles.empty}>
      <p>{children}</p>
      {command === undefined ? null : <code>{command}</code>}
    </div>
  );
}

/** What went wrong, how to mend it, and another try. The rest of the page stays. */
export function Problem({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  const problem = error instanceof ApiProblem ? error : undefined;
  return (
    <div className={styles.problem} role="alert">
      <p>
        <strong>{problem?.message ?? String(error)}</strong> {problem?.hint}
      </p>
      {problem === undefined ? null : (
        <p className={styles.code}>
          <code>{problem.code}</code>
        </p>
      )}
      {retry === undefined ? null : <Button onClick={retry}>Try again</Button>}
    </div>
  );
}
