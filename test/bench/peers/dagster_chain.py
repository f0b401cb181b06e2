"""The chain of B1 in Dagster: dependent no-op assets, each with one passing blocking check in the same step.

    python dagster_chain.py in-process-ephemeral|in-process-sqlite|multiprocess ASSETS RUNS

Prints one JSON object: versions, and for each run the milliseconds from its start to its end and between the ends of
successive steps, by the timestamps of Dagster's own event log. The first run in a process is for warming up and is left
out, except with the multiprocess executor, which starts a process a step and has nothing to warm.
"""

import json
import os
import platform
import sys
import tempfile
import warnings

import dagster as dg

CHAIN_LENGTH = "DAGSTER_CHAIN_LENGTH"


def chain_assets(length: int) -> list[dg.AssetsDefinition]:
    """Nothing is stored: assets return no value, and depend on each other by key alone, which costs Dagster least."""
    assets: list[dg.AssetsDefinition] = []
    for n in range(length):
        name = f"a{n:05d}"

        @dg.asset(
            name=name,
            deps=assets[-1:],
            check_specs=[dg.AssetCheckSpec("passes", asset=name, blocking=True)],
        )
        def link() -> dg.MaterializeResult:
            return dg.MaterializeResult(check_results=[dg.AssetCheckResult(passed=True, check_name="passes")])

        assets.append(link)
    return assets


def chain_job() -> dg.JobDefinition:
    """Loaded again, by this name, in every process that the multiprocess executor starts."""
    assets = chain_assets(int(os.environ[CHAIN_LENGTH]))
    definitions = dg.Definitions(assets=assets, jobs=[dg.define_asset_job("chain", selection="*")])
    return definitions.resolve_job_def("chain")


def run_figures(instance: dg.DagsterInstance, run_id: str, length: int) -> dict:
    """Times of one run, from its event log, in milliseconds."""
    ended = []
    began = finished = 0.0
    for entry in instance.all_logs(run_id):
        if entry.dagster_event is None:
            continue
        kind = entry.dagster_event.event_type
        if kind == dg.DagsterEventType.RUN_START:
            began = entry.timestamp
        elif kind == dg.DagsterEventType.STEP_SUCCESS:
            ended.append(entry.timestamp)
        elif kind == dg.DagsterEventType.RUN_SUCCESS:
            finished = entry.timestamp
    if len(ended) != length or finished == 0.0:
        raise SystemExit(f"the run did not succeed: {len(ended)} of {length} steps")
    ended.sort()
    hops = [(later - earlier) * 1000 for earlier, later in zip(ended, ended[1:])]
    return {"totalMs": (finished - began) * 1000, "hopsMs": hops}


def in_process(instance: dg.DagsterInstance, length: int, runs: int) -> list[dict]:
    assets = chain_assets(length)
    figures = []
    for _ in range(runs + 1):
        result = dg.materialize(assets, instance=instance, raise_on_error=True)
        figures.append(run_figures(instance, result.run_id, length))
    return figures[1:]


def multiprocess(instance: dg.DagsterInstance, length: int, runs: int) -> list[dict]:
    os.environ[CHAIN_LENGTH] = str(length)
    figures = []
    for _ in range(runs):
        with dg.execute_job(dg.reconstructable(chain_job), instance=instance) as result:
            figures.append(run_figures(instance, result.run_id, length))
    return figures


def main() -> None:
    mode, length, runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    warnings.simplefilter("ignore")
    if mode == "in-process-ephemeral":
        with dg.DagsterInstance.ephemeral() as instance:
            figures = in_process(instance, length, runs)
    else:
        with tempfile.TemporaryDirectory() as folder, dg.DagsterInstance.local_temp(folder) as instance:
            figures = (multiprocess if mode == "multiprocess" else in_process)(instance, length, runs)
    versions = {"dagster": dg.__version__, "python": platform.python_version()}
    print(json.dumps({"mode": mode, "assets": length, "versions": versions, "runs": figures}))


if __name__ == "__main__":
    main()
