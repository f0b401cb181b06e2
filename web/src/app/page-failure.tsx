import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { buttonClass } from "../parts/button.tsx";
import { PageHeader } from "../parts/page-header.tsx";
import { Problem } from "../parts/notice.tsx";

/** A page that could not be drawn. The shell around it stays. */
export function PageFailure({ error, reset }: ErrorComponentProps) {
  return (
    <>
      <PageHeader title="This page failed" />
      <Problem error={error} retry={reset} />
    </>
  );
}

export function NotFound() {
  return (
    <>
      <PageHeader title="There is no such page" />
      <p>Nothing is at this address.</p>
      <div>
        <Link to="/" className={buttonClass()}>
          Go home
        </Link>
      </div>
    </>
  );
}
