import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Deployment } from "../support/deployment.ts";
import { ExampleTeams } from "../support/example-teams.ts";
import { startDeployment } from "../support/start-deployment.ts";
import { chromiumPath, launchChromium } from "./chromium.ts";

/*
 * The web UI as people use it: one control plane with the two teams of the flights, one browser. July has six flights,
 * so its gate is shut. The tests tell one story, in order.
 */

const executable = chromiumPath();
const shutMessage = /raw_flights 2001-07: check enough_rows failed: 6 rows, 310,000 needed/;

describe.skipIf(executable === undefined)("The web UI", () => {
  const teams = new ExampleTeams();
  let headgate: Deployment;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  /** What the browser complained about: errors of scripts, and what the policy forbade. */
  const complaints: string[] = [];

  beforeAll(async () => {
    [headgate, browser] = await Promise.all([
      startDeployment("dev", {
        teams: ["flights: { contacts: [flights@example.com] }", "analytics: { contacts: [analytics@example.com] }"],
        locations: [
          { name: "flights", module: teams.module("flights") },
          { name: "analytics", module: teams.module("analytics") },
        ],
      }),
      launchChromium(executable ?? ""),
    ]);
    context = await browser.newContext({ viewport: { width: 1440, height: 900 }, baseURL: headgate.url });
    page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.setDefaultTimeout(15_000);
  });

  afterAll(async () => {
    try {
      await browser?.close();
      await headgate?.stop();
    } finally {
      teams.remove();
    }
  });

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

  it("goes everywhere by keys, and tells them", async () => {
    await page.keyboard.press("g");
    await page.keyboard.press(",");
    await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("home");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
  });

  it("has no fault that axe finds, on any page, light and dark", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const path of ["/", "/settings"]) {
        await page.goto(path);
        await page.getByRole("heading", { level: 1 }).waitFor();
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(
          violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
          `${path}, ${colorScheme}`,
        ).toEqual([]);
      }
    }
  });

  it("asks no other host and breaks no policy", () => {
    expect(complaints).toEqual([]);
  });
});
