import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Deployment } from "../support/deployment.ts";
import { ExampleTeams } from "../support/example-teams.ts";
import { Ledger } from "../support/ledger.ts";
import { startDeployment } from "../support/start-deployment.ts";
import { chromiumPath, launchChromium } from "./chromium.ts";
import { graphStory } from "./graph-story.ts";

/*
 * The web UI as people use it: one control plane with the two teams of the flights, a laboratory of steps that fail and
 * wait, and a team that writes markup wherever it can; one browser. July has six flights, so its gate is shut. The tests
 * tell one story, in order.
 */

const executable = chromiumPath();
const shutMessage = /raw_flights 2001-07: check enough_rows failed: 6 rows, 310,000 needed/;
const patience = { timeout: 15_000 };
const folder = (path: string) => fileURLToPath(new URL(path, import.meta.url));

describe.skipIf(executable === undefined)("The web UI", () => {
  const teams = new ExampleTeams();
  const ledger = new Ledger();
  let headgate: Deployment;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  /** What the browser complained about: errors of scripts, and what the policy forbade. */
  const complaints: string[] = [];
  /** Requests to any other host. */
  const elsewhere: string[] = [];

  beforeAll(async () => {
    [headgate, browser] = await Promise.all([
      startDeployment("dev", {
        teams: ["flights: { contacts: [flights@example.com] }", "analytics: { contacts: [analytics@example.com] }"],
        locations: [
          { name: "flights", module: teams.module("flights") },
          { name: "analytics", module: teams.module("analytics") },
          { name: "lab", module: folder("../e2e/locations/lab"), env: ledger.env },
          { name: "hostile", module: folder("locations/hostile") },
        ],
      }),
      launchChromium(executable ?? ""),
    ]);
    context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      baseURL: headgate.url,
      permissions: ["clipboard-read", "clipboard-write"],
    });
    page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("request", (request) => request.url().startsWith(headgate.url) || elsewhere.push(request.url()));
    page.setDefaultTimeout(15_000);
  });

  afterAll(async () => {
    try {
      await browser?.close();
      await headgate?.stop();
    } finally {
      teams.remove();
      ledger.remove();
    }
  });

  const heading = (name: string | RegExp) => page.getByRole("heading", { level: 1, name }).waitFor();
  /** The words at the head of a run's page. */
  const runIs = (state: string) => page.locator("main header").getByText(state, { exact: true }).first().waitFor();
  const launch = async (selection: string) => {
    await page.goto(`/launch?sel=${encodeURIComponent(selection)}`);
    await page.getByRole("row", { name: /runs/ }).first().waitFor();
    await page.getByRole("button", { name: "Launch" }).click();
    await heading(/^Run /);
  };

  it("shows the gate that shuts by itself, with its reason, what it blocks and what opens it", async () => {
    await page.goto("/");
    // Nothing reloads the page: the event stream brings it.
    await page.getByText(shutMessage).waitFor({ timeout: 60_000 });
    await page.getByText("blocks 3 assets in 2 teams: analytics 2, flights 1").waitFor();
    await page.getByRole("status").getByText("live").waitFor();
    await page.getByText("What opens it").click();
    await page.getByText("npx headgate waive flights/raw_flights@").waitFor();
    expect(await page.title()).toBe("(1) Home · Headgate");
  });

  graphStory(() => ({ page, headgate }));

  it("goes everywhere by keys, finds by the palette, and tells the keys", async () => {
    for (const [key, title] of [
      ["g", "Asset graph"],
      ["a", "Assets"],
      ["c", "Checks"],
      ["r", "Runs"],
      ["t", "Teams"],
      ["s", "System"],
      [",", "Settings"],
    ] as const) {
      await page.keyboard.press("g");
      await page.keyboard.press(key);
      await heading(title);
    }
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("route del");
    await page.getByRole("option", { name: "analytics/route_delays asset" }).waitFor();
    await page.keyboard.press("Enter");
    await heading("analytics/route_delays");
  });

  it("leads from a blocked asset back to the gate that shuts, by its reason", async () => {
    await page.getByText("2001-07 is blocked").waitFor();
    await page.getByText(shutMessage).waitFor();
    await page.getByRole("region", { name: "Gate" }).getByRole("link", { name: "flights/raw_flights 2001-07" }).click();
    await heading("flights/raw_flights");
    await page.getByText("2001-07 is closed: a check failed").waitFor();
    expect(new URL(page.url()).search).toBe("?partition=2001-07");
  });

  it("finds by the selection language of the command line, by facets, and says what it cannot read", async () => {
    await page.goto("/assets");
    const rows = page.getByRole("table", { name: "Assets" }).getByRole("row");
    await rows.first().waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("+analytics/route_delays");
    await page.keyboard.press("Enter");
    await expect.poll(() => rows.count(), patience).toBe(4);
    await page.getByRole("button", { name: /blocked/ }).click();
    await expect.poll(() => rows.count(), patience).toBe(3);
    expect(new URL(page.url()).searchParams.get("sel")).toBe("+analytics/route_delays and status:blocked");
    // A permalink shows another person the same.
    const other = await context.newPage();
    await other.goto(page.url());
    await expect.poll(() => other.getByRole("table", { name: "Assets" }).getByRole("row").count(), patience).toBe(3);
    await other.close();
    await page.getByRole("textbox", { name: "Selection of assets" }).fill("team:flights and (");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    // By keys from row to row, and in.
    await page.goto("/assets?sel=team:lab");
    await rows.nth(1).focus();
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await heading("lab/first");
  });

  it("previews a plan, launches it, shows what failed and retries from there", async () => {
    await launch("lab/first+");
    await runIs("failed");
    await page.getByRole("button", { name: /lab\/second/ }).click();
    await page.getByText("the second is not ready yet").first().waitFor();
    ledger.open("second");
    await page.getByRole("button", { name: "Retry from failure" }).click();
    await page.getByText("retry of").waitFor();
    await runIs("succeeded");
    // Steps that succeeded are not made again.
    await page.getByRole("list", { name: "Steps" }).getByText("lab/third").waitFor();
    expect(await page.getByRole("list", { name: "Steps" }).getByText("lab/first").count()).toBe(0);
  });

  it("shows the log of each attempt of a step, and marks a line in its address", async () => {
    await launch("lab/flaky");
    await runIs("succeeded");
    await page.getByRole("button", { name: /lab\/flaky/ }).click();
    await page.getByText("printed by attempt 3").waitFor();
    await page.getByRole("combobox", { name: "Attempt" }).selectOption("2");
    await page.getByText("complained by attempt 2").waitFor();
    await expect.poll(() => page.getByText("printed by attempt 3").count(), patience).toBe(0);
    await page.getByRole("combobox", { name: "Stream" }).selectOption("stderr");
    await expect.poll(() => page.getByText("printed by attempt 2").count(), patience).toBe(0);
    await page.getByRole("button", { name: "1", exact: true }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get("line"), patience).toBe("1");
    await page.keyboard.press("y");
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(page.url());
  });

  it("cancels a run that goes on, after asking", async () => {
    await launch("lab/endless");
    await ledger.until({ what: "start", asset: "lab/endless" });
    await page.getByRole("button", { name: "Cancel run" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel run" }).click();
    await runIs("canceled");
  });

  it("opens the reason of a blocked step, never an empty log", async () => {
    await page.goto("/launch?sel=analytics/route_delays&partitions=2001-07");
    await page.getByText("0 run, 0 wait for others, 1 blocked").waitFor();
    await page.getByRole("button", { name: "Launch" }).click();
    await runIs("blocked");
    await page.getByRole("button", { name: /analytics\/route_delays/ }).click();
    await page.getByRole("region", { name: "Step" }).getByText(shutMessage).waitFor();
    await page.getByText("never started").waitFor();
    expect(await page.getByRole("log").count()).toBe(0);
  });

  it("waives a check with a reason and an end, and the gate opens on every page", async () => {
    await page.goto("/assets/flights%2Fraw_flights?tab=versions&partition=2001-07");
    await page.getByRole("button", { name: "Waive", exact: true }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox", { name: "Why this is acceptable" }).fill("only six flights were published");
    await dialog.getByRole("combobox", { name: "It ends by itself after" }).selectOption("1");
    await dialog.getByRole("button", { name: "Waive", exact: true }).click();
    await page.getByText("only six flights were published").first().waitFor();
    await page.getByText("2001-07 is open, by waiver").waitFor();
    await page.goto("/");
    await page.getByText("Every gate is open.").waitFor();
  });

  it("discards the newest version with a reason, and restores it", async () => {
    await page.goto("/assets/lab%2Fthird?tab=versions");
    await page.getByRole("button", { name: "Discard" }).first().click();
    await page.getByRole("dialog").getByRole("textbox", { name: "Why" }).fill("made of a draft");
    await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
    await page.getByText("made of a draft").waitFor();
    await page.getByRole("button", { name: "Restore" }).click();
    await expect.poll(() => page.getByText("made of a draft").count(), patience).toBe(0);
  });

  it("runs nothing that a definition, a log line or metadata says, and asks nobody for its pictures", async () => {
    await launch("hostile/everything");
    await page.getByRole("button", { name: /hostile\/everything/ }).click();
    await page.getByRole("log").getByText("<script>").first().waitFor();
    await page.goto("/assets/hostile%2Feverything");
    await page.getByText("check judged failed").first().waitFor();
    await page.getByText("Report", { exact: true }).waitFor();
    await page.goto("/assets/hostile%2Feverything?tab=checks");
    await page.getByText("judged", { exact: true }).waitFor();
    expect(await page.title()).toBe("hostile/everything · Headgate");
    expect(await page.locator("main img, main script, main a[href^='javascript']").count()).toBe(0);
    expect(elsewhere).toEqual([]);
  });

  it("has no fault that axe finds, on any page, light and dark", async () => {
    const [run] = await headgate.api.list("listRuns", "/runs", { asset: "lab/flaky" }, 1);
    const paths = [
      "/",
      "/assets",
      "/assets/flights%2Fraw_flights?partition=2001-07",
      "/assets/flights%2Fraw_flights?tab=versions",
      "/checks",
      "/runs",
      `/runs/${run?.id ?? ""}?step=0`,
      "/launch?sel=flights/airports",
      "/teams",
      "/teams/flights",
      "/system",
      "/settings",
      "/nowhere",
    ];
    // There are no frames; what passes is not listed.
    const axe = () => new AxeBuilder({ page }).setLegacyMode(true).options({ resultTypes: ["violations"] });
    for (const path of paths) {
      await page.emulateMedia({ colorScheme: "light" });
      await page.goto(path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      const light = await axe().analyze();
      // Of a theme, colours are all that differs.
      await page.emulateMedia({ colorScheme: "dark" });
      const dark = await axe().withRules(["color-contrast"]).analyze();
      const faults = [...light.violations, ...dark.violations];
      expect(
        faults.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
        path,
      ).toEqual([]);
    }
  });

  it("says since when it is offline, and follows again by itself", async () => {
    await page.goto("/runs");
    await page.getByRole("status").getByText("live").waitFor();
    await headgate.killControlPlane();
    await page.getByText(/^offline/).waitFor();
    await headgate.startControlPlane();
    await page.getByRole("status").getByText("live").waitFor({ timeout: 60_000 });
    const { id } = await headgate.json<{ id: string }>("materialize", "lab/first", "--detach");
    await page.getByRole("link", { name: id.slice(-8) }).waitFor();
  });

  it("breaks no policy of its own", () => {
    // What a page asked while nobody answered is no fault of it.
    expect(complaints.filter((text) => !/net::ERR|Failed to load resource|Failed to fetch/.test(text))).toEqual([]);
  });
});
