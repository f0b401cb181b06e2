import { createHash } from "node:crypto";
import { formatPartitions, rangeSet } from "@headgate/model";
import type { AssetNode } from "../domain/graph.ts";
import type { Reason } from "../domain/reason.ts";
import { reasonText, remedies } from "../domain/reason-text.ts";
import type { PartitionStatus, StatusRange } from "../domain/status.ts";
import { judge } from "../domain/gate.ts";
import { requiredChecks } from "../domain/required-checks.ts";
import { readGateState } from "../storage/gate-state.ts";
import { listLocations } from "../storage/locations-read.ts";
import { listRuns } from "../storage/runs-read.ts";
import type { ApiContext } from "./api-context.ts";
import { loadStatuses } from "./asset-statuses.ts";
import { homePageStyle } from "./home-page-style.ts";
import { type Html, html, joined, raw } from "./html.ts";
import { presentOwner } from "./present-reason.ts";

export const homePageStyleHash = createHash("sha256").update(homePageStyle).digest("base64");

const shownMax = 50;

const words: Record<PartitionStatus, string> = {
  materializing: "materializing",
  failed: "shut: a check failed",
  errored: "shut: a check errored",
  computeFailed: "failed to compute",
  blocked: "blocked upstream",
  pending: "checks pending",
  waived: "open by waiver",
  warned: "open, with a warning",
  passed: "open",
  unchecked: "open, unchecked",
  neverMaterialized: "never materialized",
};

/** Teams, their assets with the state of each range of partitions, and the gates that are shut with what opens them. */
export async function homePage(context: ApiContext): Promise<string> {
  const { order } = context.graph();
  const [statuses, shut, locations, runs] = await Promise.all([
    loadStatuses(context, order),
    shutGates(context, order),
    listLocations(context.db),
    listRuns(context.db, {}, { limit: 8 }),
  ]);
  const teams = [...new Set([...order.map((node) => node.team), ...locations.map((row) => row.team)])].sort();
  const body = html`<header>
      <h1>Headgate</h1>
      <p>${String(order.length)} assets, ${String(teams.length)} teams</p>
    </header>
    ${problemsSection(context, locations)}${shutSection(context, shut)}
    <main>${joined(teams.map((team) => teamSection(context, team, order, statuses)))}</main>
    <section>
      <h2>Newest runs</h2>
      ${
        runs.items.length === 0
          ? html`<p class="quiet">None yet.</p>`
          : html`<table>
              <tbody>
                ${joined(
                  runs.items.map(
                    (run) =>
                      html`<tr>
                        <td><code>${run.id}</code></td>
                        <td>${run.selection} ${run.partitions}</td>
                        <td>${run.source}</td>
                        <td class="s-${run.state}">${run.state}</td>
                      </tr>`,
                  ),
                )}
              </tbody>
            </table>`
      }
    </section>`;
  // In one piece: the policy allows exactly these bytes as a style.
  const style = raw(`<style>${homePageStyle}</style>`);
  const page = html`<html lang="en">
    <head>
      <meta charset="utf-8" />
      <title>${title(shut.length)}</title>
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta http-equiv="refresh" content="2" />
      ${style}
    </head>
    <body>
      ${body}
    </body>
  </html>`;
  return `<!doctype html>\n${page.toString()}`;
}

function title(shut: number): string {
  return shut === 0 ? "Headgate" : `(${shut} shut) Headgate`;
}

interface ShutGate {
  readonly node: AssetNode;
  readonly partition: string;
  readonly reasons: readonly Reason[];
}

/** The newest versions that their own team's gate does not let through. */
async function shutGates(context: ApiContext, order: readonly AssetNode[]): Promise<readonly ShutGate[]> {
  const gates = await readGateState(
    context.pool,
    order.map((node) => node.key),
  );
  const nowMs = context.now();
  return order.flatMap((node) =>
    [...(gates.get(node.key)?.partitions ?? [])].flatMap(([partition, versions]) => {
      const newest = versions[0];
      if (newest === undefined) return [];
      const { open, reasons } = judge(node.key, newest, requiredChecks(node, node.team), nowMs);
      return open ? [] : [{ node, partition, reasons }];
    }),
  );
}

function problemsSection(
  context: ApiContext,
  locations: readonly {
    name: string;
    state: string;
    removed_at: Date | null;
    error: { message: string; hint: string } | null;
  }[],
): Html {
  const lines = [
    ...context
      .workspace()
      .problems.map(
        (problem) =>
          html`<li><b>${problem.file}:${String(problem.line)}</b> ${problem.message} <i>${problem.hint}</i></li>`,
      ),
    ...locations
      .filter((row) => row.removed_at === null && row.state !== "healthy")
      .map(
        (row) =>
          html`<li>
            <b>${row.name}</b> is ${row.state}. ${row.error?.message ?? ""} <i>${row.error?.hint ?? ""}</i>
          </li>`,
      ),
    ...context.graph().errors.map((error) => html`<li><b>${error.key}</b> ${error.message} <i>${error.hint}</i></li>`),
  ];
  if (lines.length === 0) return html``;
  return html`<section class="problems">
    <h2>Definitions and locations</h2>
    <ul>
      ${joined(lines.slice(0, shownMax))}
    </ul>
  </section>`;
}

function shutSection(context: ApiContext, gates: readonly ShutGate[]): Html {
  if (gates.length === 0) return html``;
  const more =
    gates.length > shownMax ? html`<p class="quiet">and ${String(gates.length - shownMax)} more</p>` : html``;
  return html`<section class="shut">
    <h2>Shut gates</h2>
    ${joined(
      gates.slice(0, shownMax).map(
        ({ node, partition, reasons }) =>
          html`<article>
            <h3>${node.key} ${partition}</h3>
            ${joined(reasons.map((reason) => html`<p>${reasonText(reason)}</p>`))}
            <p class="quiet">${ownerText(context, node.team)}</p>
            <dl>
              ${joined(
                remedies(reasons).map(
                  ({ purpose, command }) =>
                    html`<dt>${purpose}</dt>
                      ${command === "" ? html`` : html`<dd><code>${command}</code></dd>`}`,
                ),
              )}
            </dl>
          </article>`,
      ),
    )}${more}
  </section>`;
}

function ownerText(context: ApiContext, team: string): string {
  const { contacts, oncallUrl, runbook } = presentOwner(context, team);
  return [
    `owner: ${team}`,
    ...contacts,
    ...(oncallUrl === null ? [] : [oncallUrl]),
    ...(runbook === null ? [] : [runbook]),
  ].join(" · ");
}

function teamSection(
  context: ApiContext,
  team: string,
  order: readonly AssetNode[],
  statuses: ReadonlyMap<AssetNode, readonly StatusRange[]>,
): Html {
  const nodes = order.filter((node) => node.team === team);
  return html`<section>
    <h2>${team}</h2>
    <p class="quiet">${ownerText(context, team)}</p>
    <table>
      <tbody>
        ${joined(
          nodes.map(
            (node) =>
              html`<tr>
                <th scope="row">${node.key}</th>
                <td>${joined((statuses.get(node) ?? []).map((range) => statusBadge(node, range)))}</td>
              </tr>`,
          ),
        )}
      </tbody>
    </table>
  </section>`;
}

function statusBadge(node: AssetNode, { status, set }: StatusRange): Html {
  const partitioned = node.space.definition !== undefined;
  const count = rangeSet.size(set);
  const text = formatPartitions(node.space, set);
  const which = !partitioned ? "" : text.length <= 80 ? text : `${count} partitions`;
  return html`<span class="badge s-${status}"
    >${words[status]}${which === "" ? html`` : html` <small>${which}</small>`}</span
  >`;
}
