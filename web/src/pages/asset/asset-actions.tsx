import { Link } from "@tanstack/react-router";
import { Button, buttonClass } from "../../parts/button.tsx";
import { Problem } from "../../parts/notice.tsx";
import { useAction } from "../../parts/use-action.ts";
import { useNavigate } from "@tanstack/react-router";
import type { Asset } from "./shown-asset.ts";

/** What can be done with the asset, or with the partition that is chosen. */
export function AssetActions({
  asset,
  search,
}: {
  readonly asset: Asset;
  readonly search: { readonly partition?: string };
}) {
  const navigate = useNavigate();
  const check = useAction("runChecks", ({ id }) => void navigate({ to: "/runs/$id", params: { id } }));
  const { partition } = search;
  const runnable = asset.checks.some(({ reportedBy, error }) => reportedBy === null && error === null);
  const body = { asset: asset.key, ...(partition === undefined ? {} : { partitions: partition }) };
  return (
    <>
      {check.error === null ? null : <Problem error={check.error} />}
      <Link to="/graph" search={{ at: asset.key }} className={buttonClass()}>
        In the graph
      </Link>
      {runnable && asset.newest !== null ? (
        <Button disabled={check.isPending} onClick={() => check.mutate({ body })}>
          Run checks
        </Button>
      ) : null}
      {asset.external !== null || asset.retired ? null : (
        <Link
          to="/launch"
          search={{ sel: asset.key, ...(partition === undefined ? {} : { partitions: partition }) }}
          className={buttonClass("primary")}
        >
          Materialize{partition === undefined ? "" : ` ${partition}`}
        </Link>
      )}
    </>
  );
}
