import { useState } from "react";
import { ApiProblem } from "../api/api-problem.ts";
import { classes } from "./classes.ts";
import fields from "./field.module.css";

/**
 * A selection of assets in the language of the command line. The control plane reads it, so it means here what it means
 * there; what it cannot read is said under the field, and what was shown before stays.
 */
export function SelectionField(props: {
  readonly value: string;
  readonly choose: (selection: string) => void;
  readonly error: unknown;
}) {
  const { value, choose, error } = props;
  const [typed, setTyped] = useState(value);
  const [shown, setShown] = useState(value);
  if (shown !== value) {
    // It was changed elsewhere: by a facet, or by going back.
    setShown(value);
    setTyped(value);
  }
  const problem = error instanceof ApiProblem && error.code === "selection.invalid" ? error : undefined;
  return (
    <form
      className={classes(fields.bar, fields.wide)}
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        choose(typed.trim());
      }}
    >
      <input
        className={classes(fields.field, fields.wide, problem !== undefined && fields.wrong)}
        data-page-filter
        aria-label="Selection of assets"
        aria-invalid={problem !== undefined}
        placeholder="team:flights and status:blocked, +flights/clean_flights, kind:duckdb …"
        spellCheck={false}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={() => choose(typed.trim())}
      />
      {problem === undefined ? null : (
        <p className={fields.message} role="alert">
          {problem.message} {problem.hint}
        </p>
      )}
    </form>
  );
}
