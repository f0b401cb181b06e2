import type { UseQueryResult } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { Problem } from "./notice.tsx";
import styles from "./answer.module.css";

/** A quick answer is not announced by a flicker. */
const skeletonAfterMs = 150;

/**
 * What a query answered. What is known already stays while it is asked again; bars stand for it only where nothing is
 * known; a problem takes the place of this part and of no other.
 */
export function Answer<T>(props: { readonly of: UseQueryResult<T>; readonly children: (data: T) => ReactNode }) {
  const { data, error, isPending, refetch } = props.of;
  if (isPending) return <Skeleton />;
  return (
    <>
      {error === null ? null : <Problem error={error} retry={() => void refetch()} />}
      {data === undefined ? null : props.children(data)}
    </>
  );
}

export function Skeleton({ rows = 3 }: { readonly rows?: number }) {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), skeletonAfterMs);
    return () => clearTimeout(timer);
  }, []);
  if (!shown) return null;
  return (
    <div className={styles.skeleton} role="status">
      <span className="visually-hidden">Loading</span>
      {Array.from({ length: rows }, (_, i) => (
        <div key={i} />
      ))}
    </div>
  );
}
