import { useQuery } from "@tanstack/react-query";
import { Box, Crosshair, Link2, Play, X } from "lucide-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Answered, ItemOf } from "../../api/answers.ts";
import { query } from "../../api/queries.ts";
import { blocksText } from "../../pages/home/blocks-text.ts";
import { Answer } from "../../parts/answer.tsx";
import { Button, buttonClass } from "../../parts/button.tsx";
import { CommandLine } from "../../parts/command-line.tsx";
import { Ago } from "../../parts/time.tsx";
import { StatusCounts } from "../../status/status-counts.tsx";
import { StatusGlyph } from "../../status/status-glyph.tsx";
import { StatusWord } from "../../status/status-word.tsx";
import { outcomeLooks, partitionLooks } from "../../status/status-dictionary.ts";
import type { GraphModel } from "../picture/graph-model.ts";
import type { GraphState } from "../picture/graph-state.ts";
import { type WayToGate, downstreamOf, upstreamOf } from "../picture/paths.ts";
import styles from "../graph.module.css";

type Gate = ItemOf<"listGates">;
type Asset = Answered<"getAsset">;

/** What is known of the asset that is chosen: how it is and why, its checks, what it reads and who reads it. */
export function Inspector(props: {
  readonly model: GraphModel;
  readonly state: GraphState;
  readonly asset: number;
  readonly gate: Gate | undefined;
  readonly ways: readonly WayToGate[];
  readonly select: (asset: number | undefined) => void;
  readonly focus: (asset: number) => void;
}) {
  const { model, state, asset, gate, ways, select, focus } = props;
  const key = model.keys[asset] ?? "";
  const detail = useQuery(query("getAsset", { params: { key } }));
  return (
    <aside className={styles.inspector} aria-label={`Asset ${key}`}>
      <header className={styles.inspectorHead}>
        <h2>{model.names[asset]}</h2>
        <button type="button" className={styles.icon} aria-label="Close" onClick={() => select(undefined)}>
          <X size={15} aria-hidden="true" />
        </button>
        <p className={styles.muted}>
          {model.teams[model.team[asset]!]} · {model.locations[model.location[asset]!]}
        </p>
      </header>
      {state.fogged[asset] === 1 ? (
        <p className={styles.fogNote}>
          <StatusGlyph look={{ tone: "unknown", glyph: "question" }} /> Its location is not reached. What is shown is
          what was last known.
        </p>
      ) : null}
      {gate === undefined ? null : <ClosedHere gate={gate} />}
      {ways.length === 0 ? null : <Waits model={model} state={state} ways={ways} select={select} />}
      <Answer of={detail}>{(known) => <Facts asset={known} />}</Answer>
      <div className={styles.acts}>
        {detail.data === undefined || detail.data.external !== null || detail.data.retired ? null : (
          <Link className={buttonClass("primary")} to="/launch" search={{ sel: key }}>
            <Play size={14} aria-hidden="true" /> Materialize
          </Link>
        )}
        <Link className={buttonClass()} to="/assets/$key" params={{ key }}>
          <Box size={14} aria-hidden="true" /> Asset page
        </Link>
        <Link className={buttonClass()} to="/runs" search={{ asset: key }}>
          Runs
        </Link>
        <Button onClick={() => focus(asset)}>
          <Crosshair size={14} aria-hidden="true" /> Focus
        </Button>
        <CopyLink />
      </div>
      <Neighbours title="Reads" assets={[...upstreamOf(model, asset)]} model={model} state={state} select={select} />
      <Neighbours
        title="Read by"
        assets={[...downstreamOf(model, asset)]}
        model={model}
        state={state}
        select={select}
      />
    </aside>
  );
}

function ClosedHere({ gate }: { readonly gate: Gate }) {
  const [first] = gate.versions;
  return (
    <section className={styles.closed} aria-label="Closed gate">
      <p className={styles.closedHead}>
        <StatusGlyph look={partitionLooks.blocked} /> Gate closed <Ago at={gate.since} />
      </p>
      {(first?.reasons ?? []).map((reason) => (
        <p key={`${reason.team} ${reason.check}`}>{reason.message}</p>
      ))}
      {gate.count > 1 ? (
        <p className={styles.muted}>
          {gate.count} partitions: {gate.partitions}
        </p>
      ) : null}
      <p className={styles.muted}>{blocksText(gate.blocks)}</p>
      {first === undefined || first.remedies.length === 0 ? null : (
        <details>
          <summary>What opens it</summary>
          <dl className={styles.remedies}>
            {first.remedies.map(({ purpose, command }) => (
              <div key={purpose}>
                <dt>{purpose}</dt>
                <dd>{command === "" ? null : <CommandLine command={command} />}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </section>
  );
}

function gateNames(state: GraphState, asset: number): string {
  return (state.gateAt.get(asset)?.checks ?? []).map(({ name }) => name).join(", ");
}

const waysMax = 5;

/** The way from here to each gate that holds it back, nearest first. */
function Waits(props: {
  readonly model: GraphModel;
  readonly state: GraphState;
  readonly ways: readonly WayToGate[];
  readonly select: (asset: number) => void;
}) {
  const { model, state, ways, select } = props;
  return (
    <section className={styles.closed} aria-label="What it waits for">
      <p className={styles.closedHead}>
        <StatusGlyph look={partitionLooks.blocked} /> Waits for{" "}
        {ways.length === 1 ? "a closed gate" : `${ways.length} closed gates`}
      </p>
      <ol>
        {ways.slice(0, waysMax).map(({ assets }) => (
          <li key={assets.at(-1)} className={styles.way}>
            {assets.map((asset, i) => (
              <span key={asset}>
                {i === 0 ? null : i === assets.length - 1 ? (
                  <span className={styles.wayGate}> ← gate {gateNames(state, asset)} ← </span>
                ) : (
                  " ← "
                )}
                <button type="button" className={styles.link} onClick={() => select(asset)}>
                  {model.names[asset]}
                </button>
              </span>
            ))}
          </li>
        ))}
      </ol>
      {ways.length > waysMax ? <p className={styles.muted}>and {ways.length - waysMax} more</p> : null}
    </section>
  );
}

function Facts({ asset }: { readonly asset: Asset }) {
  return (
    <dl className={styles.facts}>
      <div>
        <dt>Status</dt>
        <dd>
          {asset.partitioned ? (
            <StatusCounts counts={asset.counts} />
          ) : (
            <StatusWord look={partitionLooks[asset.status]} name={asset.status} />
          )}
        </dd>
      </div>
      {asset.newest === null ? null : (
        <div>
          <dt>Newest</dt>
          <dd>
            {asset.newest.partition} <Ago at={asset.newest.createdAt} />
          </dd>
        </div>
      )}
      {asset.checks.length === 0 ? null : (
        <div>
          <dt>Checks</dt>
          <dd>
            <ul className={styles.checks}>
              {asset.checks.map(({ team, name, blocking, latest }) => (
                <li key={`${team} ${name}`}>
                  {latest === null ? (
                    <StatusGlyph look={partitionLooks.neverMaterialized} />
                  ) : (
                    <StatusGlyph look={outcomeLooks[latest.outcome]} />
                  )}
                  <span>
                    {name}{" "}
                    <span className={styles.muted}>
                      {[latest?.outcome ?? "no result", blocking ? "" : "does not gate"].filter(Boolean).join(", ")}
                    </span>
                  </span>
                </li>
              ))}
            </ul>
          </dd>
        </div>
      )}
      {asset.description === "" ? null : (
        <div>
          <dt>About</dt>
          <dd>{asset.description}</dd>
        </div>
      )}
    </dl>
  );
}

const neighboursMax = 30;

function Neighbours(props: {
  readonly title: string;
  readonly assets: readonly number[];
  readonly model: GraphModel;
  readonly state: GraphState;
  readonly select: (asset: number) => void;
}) {
  const { title, assets, model, state, select } = props;
  if (assets.length === 0) return null;
  return (
    <section className={styles.neighbours}>
      <h3>
        {title} <span className={styles.muted}>{assets.length}</span>
      </h3>
      <ul>
        {assets.slice(0, neighboursMax).map((asset) => (
          <li key={asset}>
            <StatusGlyph look={partitionLooks[state.words[state.status[asset]!] ?? "neverMaterialized"]} />
            <button type="button" className={styles.link} onClick={() => select(asset)}>
              {model.keys[asset]}
            </button>
          </li>
        ))}
      </ul>
      {assets.length > neighboursMax ? <p className={styles.muted}>and {assets.length - neighboursMax} more</p> : null}
    </section>
  );
}

const copiedMs = 1_500;

function CopyLink() {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(location.href);
    setCopied(true);
    setTimeout(() => setCopied(false), copiedMs);
  };
  return (
    <Button onClick={() => void copy()}>
      <Link2 size={14} aria-hidden="true" /> {copied ? "Copied" : "Copy link"}
    </Button>
  );
}
