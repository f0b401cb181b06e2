import type { Browser, Page } from "playwright-core";
import { focusLayout, groupedLayout } from "@headgate/layout";
import { chromiumPath, launchChromium } from "../../browser/chromium.ts";
import { randomGraph } from "../../support/random-graph.ts";
import type { BenchOptions, Benchmark, Figure } from "../benchmark.ts";
import { startGraphServer } from "../graph-server.ts";
import { quantile } from "../quantile.ts";

const warmUps = 2;
const teams = 20;

/** What is measured in the page, since its clock is there. Times are milliseconds since the navigation began. */
interface Opened {
  readonly boxesMs: number;
  readonly assetsMs: number;
  readonly statusesMs: number;
}

/** B9: the graph in a browser: opened, moved and changed, after the layout by itself. */
export const graph: Benchmark = {
  id: "B9",
  title: "lay out large graphs; open the graph in Chromium, pan, zoom, and see a status change",
  async run(options) {
    const figures = layouts(options.runs);
    const executable = chromiumPath();
    if (executable === undefined) return { figures, notes: ["no Chromium: layout alone"], versions: {}, raw: null };
    const browser = await launchChromium(executable);
    try {
      const sizes = options.assets === undefined ? [5_000, 20_000] : [options.assets];
      for (const assets of sizes) figures.push(...(await inBrowser(browser, assets, options)));
      return {
        figures,
        notes: ["software rendering; every opening is a new profile, without anything kept"],
        versions: { chromium: browser.version() },
        raw: null,
      };
    } finally {
      await browser.close();
    }
  },
};

function layouts(runs: number): Figure[] {
  const times = (work: () => unknown): number[] => {
    for (let n = 0; n < warmUps; n++) work();
    return Array.from({ length: runs }, () => {
      const startedAt = performance.now();
      work();
      return performance.now() - startedAt;
    });
  };
  const few = randomGraph(250, 1);
  const wholes = [
    [5_000, teams, 400],
    [20_000, teams, 1_200],
    [20_000, 1, 1_200],
  ] as const;
  return [
    figure(
      "layout: 250 assets by themselves",
      times(() => focusLayout(few)),
      25,
    ),
    ...wholes.map(([assets, count, most]) => {
      const whole = randomGraph(assets, count);
      const values = times(() => groupedLayout(whole, whole.groups));
      return figure(`layout: ${assets} assets of ${count} ${count === 1 ? "team" : "teams"}`, values, most);
    }),
  ];
}

function figure(name: string, values: readonly number[], most?: number): Figure {
  return { name, unit: "ms", values, ...(most === undefined ? {} : { goal: { kind: "atMost", value: most } }) };
}

async function inBrowser(browser: Browser, assets: number, { runs, say }: BenchOptions): Promise<Figure[]> {
  const server = await startGraphServer(assets, teams);
  const large = assets > 5_000;
  try {
    // The first answer lays out, and reads every status: once for a process.
    await (await fetch(`${server.url}/api/v1/graph/statuses`)).arrayBuffer();
    const opened: Opened[] = [];
    const pan: number[] = [];
    const zoom: number[] = [];
    const longest: number[] = [];
    const change: number[] = [];
    for (let n = 0; n < runs; n++) {
      // The policy forbids what playwright waits by.
      const context = await browser.newContext({
        viewport: { width: 1440, height: 900 },
        baseURL: server.url,
        bypassCSP: true,
      });
      const page = await context.newPage();
      await page.addInitScript(watchScript);
      opened.push(await open(page, assets));
      pan.push(...(await framesWhile(page, () => dragAcross(page))));
      zoom.push(...(await framesWhile(page, () => wheel(page))));
      longest.push(await page.evaluate<number>("window.watched.longestTaskMs"));
      const key = server.closed[n % server.closed.length] ?? "";
      change.push(await changeSeen(page, () => server.materialize([key])));
      await context.close();
    }
    say(`${assets} assets: opened ${runs} times`);
    const of = (name: string) => `${assets} assets: ${name}`;
    return [
      figure(
        of("boxes painted"),
        opened.map((one) => one.boxesMs),
        700,
      ),
      figure(
        of("all assets painted"),
        opened.map((one) => one.assetsMs),
        large ? 2_000 : 1_500,
      ),
      figure(
        of("statuses shown"),
        opened.map((one) => one.statusesMs),
      ),
      figure(of("pan, p95 of frames"), [quantile(pan, 0.95)], large ? 33 : 20),
      figure(of("zoom, p95 of frames"), [quantile(zoom, 0.95)]),
      figure(of("longest task"), longest, 200),
      figure(of("event to new statuses"), change, 500),
    ];
  } finally {
    await server.close();
  }
}

/** Runs before the page: when which picture was painted, and the longest task of the page's thread. */
const watchScript = `
  window.watched = { paints: [], longestTaskMs: 0, answers: [] };
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.watched.longestTaskMs = Math.max(window.watched.longestTaskMs, duration);
  }).observe({ type: "longtask", buffered: true });
  new MutationObserver((changes) => {
    for (const { target } of changes) window.watched.paints.push([target.getAttribute("data-painted"), performance.now()]);
  }).observe(document, { subtree: true, attributeFilter: ["data-painted"] });
  new PerformanceObserver((list) => {
    for (const { name, responseEnd } of list.getEntries()) if (name.includes("/graph/statuses")) window.watched.answers.push(responseEnd);
  }).observe({ type: "resource", buffered: true });
`;

async function open(page: Page, assets: number): Promise<Opened> {
  await page.goto("/graph");
  await page.waitForFunction(
    `window.watched.answers.length > 0 && window.watched.paints.some(([what]) => what === "all ${assets}")`,
  );
  const { paints, answers } = await page.evaluate<{ paints: [string, number][]; answers: number[] }>("window.watched");
  return {
    boxesMs: paints[0]?.[1] ?? Number.NaN,
    assetsMs: paints.find(([what]) => what === `all ${assets}`)?.[1] ?? Number.NaN,
    statusesMs: answers[0] ?? Number.NaN,
  };
}

/** Milliseconds from frame to frame of the page while something is done to it. */
async function framesWhile(page: Page, act: () => Promise<void>): Promise<number[]> {
  await page.evaluate(`
    window.frames_ = [];
    window.counting = true;
    (function count(before) {
      requestAnimationFrame((now) => {
        if (before !== undefined) window.frames_.push(now - before);
        if (window.counting) count(now);
      });
    })();
  `);
  await act();
  return page.evaluate<number[]>("(window.counting = false, window.frames_)");
}

async function dragAcross(page: Page): Promise<void> {
  await page.mouse.move(1_200, 700);
  await page.mouse.down();
  for (const [x, y] of [
    [600, 300],
    [1_200, 700],
    [700, 650],
  ] as const) {
    await page.mouse.move(x, y, { steps: 30 });
  }
  await page.mouse.up();
}

async function wheel(page: Page): Promise<void> {
  await page.mouse.move(900, 500);
  for (let n = 0; n < 30; n++) await page.mouse.wheel(0, n < 20 ? -120 : 120);
}

async function changeSeen(page: Page, change: () => Promise<void>): Promise<number> {
  const before = await page.evaluate<number>("window.watched.answers.length");
  const startedAt = performance.now();
  await change();
  await page.waitForFunction(`window.watched.answers.length > ${before}`, undefined, { polling: 10 });
  return performance.now() - startedAt;
}
