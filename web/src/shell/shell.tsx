import { useQuery } from "@tanstack/react-query";
import { Link, Outlet } from "@tanstack/react-router";
import { Search } from "lucide-react";
import { Suspense, lazy, useState } from "react";
import { ApiProblem } from "../api/api-problem.ts";
import { query } from "../api/queries.ts";
import { Skeleton } from "../parts/answer.tsx";
import { KeySheet } from "./key-sheet.tsx";
import type { Overlay } from "./overlay.ts";
import { LiveIndicator } from "./live-indicator.tsx";
import { SignIn } from "./sign-in.tsx";
import { destinations } from "./navigation.ts";
import { ThemeButton } from "./theme-button.tsx";
import { useKeys } from "./use-keys.ts";
import styles from "./shell.module.css";

const CommandPalette = lazy(() => import("./command-palette.tsx"));

/** What is around every page: where one can go, what is said of the connection, and the keys. */
export function Shell() {
  const [overlay, setOverlay] = useState<Overlay>();
  useKeys(setOverlay);
  const locations = useQuery(query("listLocations", {}));
  if (locations.error instanceof ApiProblem && locations.error.status === 401) return <SignIn />;
  return (
    <div className={styles.shell}>
      <a className={styles.skip} href="#page">
        Skip to the page
      </a>
      <header className={styles.topbar}>
        <Link to="/" className={styles.brand}>
          <Mark />
          Headgate
        </Link>
        <button type="button" className={styles.search} onClick={() => setOverlay("palette")}>
          <Search size={14} aria-hidden="true" />
          <span>Search assets, runs, pages</span>
          <kbd>{navigator.platform.startsWith("Mac") ? "⌘K" : "Ctrl K"}</kbd>
        </button>
        <div className={styles.right}>
          <LiveIndicator />
          <ThemeButton />
        </div>
      </header>
      <nav className={styles.nav} aria-label="Pages">
        {destinations.map(({ to, label, icon: Icon }) => (
          <Link key={to} to={to} activeOptions={{ exact: to === "/" }} activeProps={{ className: styles.current }}>
            <Icon size={15} aria-hidden="true" />
            {label}
          </Link>
        ))}
        <button type="button" className={styles.keys} onClick={() => setOverlay("keys")}>
          Keys <kbd>?</kbd>
        </button>
      </nav>
      <main id="page" className={styles.page} tabIndex={-1}>
        <Suspense fallback={<Skeleton rows={5} />}>
          <Outlet />
        </Suspense>
      </main>
      {overlay === "palette" ? (
        <Suspense fallback={null}>
          <CommandPalette close={() => setOverlay(undefined)} />
        </Suspense>
      ) : null}
      <KeySheet open={overlay === "keys"} close={() => setOverlay(undefined)} />
    </div>
  );
}

function Mark() {
  return (
    <svg width="20" height="20" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M8 5v22M24 5v22" stroke="currentColor" strokeWidth="3.6" strokeLinecap="round" />
      <path d="M8 12.5h16M8 19.5h16" stroke="var(--passed)" strokeWidth="3.6" />
    </svg>
  );
}
