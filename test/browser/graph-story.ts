import { AxeBuilder } from "@axe-core/playwright";
import type { Locator, Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { Deployment } from "../support/deployment.ts";
import type { Answer } from "../http/api-fixture.ts";

interface World {
  readonly page: Page;
  readonly headgate: Deployment;
}

const analytics = ["airport_day_delays", "half_year_summary", "route_delays"];

/** Run in the page: writes down every asset over which there is fog at any time, since it lifts by itself. */
const noteFog = `
  const seen = new Set();
  new MutationObserver(() => {
    for (const item of document.querySelectorAll("[role=treeitem]")) {
      const text = item.getAttribute("aria-label") ?? "";
      if (text.includes("location not reached")) seen.add(text.split(",")[0]);
    }
    document.body.dataset.fogged = [...seen].sort().join(" ");
  }).observe(document.body, { subtree: true, attributeFilter: ["aria-label"] });
`;

/** The page of the graph, on the control plane of whoever tells the story: July's gate is shut there, and stays so. */
export function graphStory(world: () => World): void {
  const row = (name: string): Locator => world().page.getByRole("treeitem", { name: new RegExp(`^${name}, `) });
  const label = (name: string): Promise<string | null> => row(name).getAttribute("aria-label");
  const address = (): URLSearchParams => new URL(world().page.url()).searchParams;

  const ask = async (path: string): Promise<Answer> => (await fetch(`${world().headgate.url}/api/v1/${path}`)).json();
  let total = 0;

  /** Opens the page, and waits for the picture of this many assets. */
  async function open(path: string, picture?: string): Promise<void> {
    await world().page.goto(path);
    await world()
      .page.locator(`[data-painted="${picture ?? `all ${total}`}"]`)
      .waitFor();
    await row("raw_flights")
      .and(world().page.getByRole("treeitem", { name: /gate closed/ }))
      .waitFor();
  }

  describe("the graph", () => {
    it("draws every asset and says the same in a tree: the gate that is shut by which check, and what waits behind it", async () => {
      const { page } = world();
      const { teams } = await ask("graph/overview");
      total = teams.reduce((sum: number, { assets }: Answer) => sum + assets, 0);
      await open("/graph");
      expect(await page.getByRole("treeitem").count()).toBe(teams.length + total);
      expect(await label("raw_flights")).toBe("raw_flights, failed, gate closed by enough_rows, owner flights");
      for (const name of ["clean_flights", "route_delays", "airport_day_delays"]) {
        expect(await label(name)).toContain("waits for a closed gate");
      }
      // It reads what was validated last, and goes on with that.
      expect(await label("half_year_summary")).not.toContain("waits");
      const gates = page.getByRole("region", { name: "Closed gates" });
      await gates.getByText("blocks 3 assets in 2 teams: analytics 2, flights 1").waitFor();
      await gates.getByRole("button", { name: "What waits" }).click();
      await page.getByText(`3 of ${total}`).waitFor();
      await page.keyboard.press("Escape");
      await page.getByText(`${total} assets`, { exact: true }).waitFor();
    });

    it("is walked by keys alone: to an asset, by w to the gate that holds it back, by f to what is around it", async () => {
      const { page } = world();
      await open("/graph");
      await page.getByRole("tree").focus();
      await page.keyboard.press("Home");
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Enter");
      const inspector = page.getByRole("complementary", { name: "Asset analytics/route_delays" });
      await inspector.getByText("Waits for a closed gate").waitFor();
      await inspector.getByText("← gate enough_rows ←").waitFor();
      expect(await row("route_delays").getAttribute("aria-selected")).toBe("true");
      await page.keyboard.press("f");
      await page.locator('[data-painted="focus 3"]').waitFor();
      await page.keyboard.press("]");
      await page.locator('[data-painted="focus 4"]').waitFor();
      expect(address().get("focus")).toBe("analytics/route_delays");
      await page.keyboard.press("Escape");
      await page.locator(`[data-painted="all ${total}"]`).waitFor();
      await page.keyboard.press("w");
      const gate = page.getByRole("complementary", { name: "Asset flights/raw_flights" });
      await gate.getByText(/check enough_rows failed: 6 rows, 310,000 needed/).waitFor();
      expect(address().get("at")).toBe("flights/raw_flights");
    });

    it("keeps what is looked for in the address, dims the rest, and says what is wrong with a selection", async () => {
      const { page } = world();
      await open("/graph");
      const stage = page.locator("[data-painted]");
      const before = await stage.screenshot();
      const find = page.getByRole("textbox", { name: /Find assets/ });
      await find.fill("delays");
      await page.getByText(`2 of ${total}`).waitFor();
      expect(address().get("find")).toBe("delays");
      await expect.poll(async () => (await stage.screenshot()).equals(before)).toBe(false);
      await find.fill("flights/raw_flights+1");
      await find.press("Enter");
      await page.getByText(`2 of ${total}`).waitFor();
      await page.reload();
      expect(await find.inputValue()).toBe("flights/raw_flights+1");
      await page.getByText(`2 of ${total}`).waitFor();
      await find.fill("status:wrong");
      await find.press("Enter");
      await page.getByRole("alert").getByText('there is no status "wrong"').waitFor();
      await page.getByRole("button", { name: "Clear" }).click();
      await page.getByText(`${total} assets`, { exact: true }).waitFor();
    });

    it("takes a click on the picture where it drew the asset, and leads from it to its launch", async () => {
      const { page } = world();
      const layout = await ask(`graph/layouts/${(await ask("graph/overview")).hash}`);
      const airports = layout.keys.indexOf("flights/airports");
      await open(`/graph?view=${layout.x[airports] - 100},${layout.y[airports] - 100},1`);
      await page.locator("[data-painted]").click({ position: { x: 150, y: 120 } });
      const inspector = page.getByRole("complementary", { name: "Asset flights/airports" });
      await inspector.getByRole("link", { name: "Materialize" }).click();
      await page.getByRole("heading", { name: "Launch", level: 1 }).waitFor();
      expect(address().get("sel")).toBe("flights/airports");
      await page.goBack();
      await inspector.waitFor();
    });

    it("has no fault that axe finds: with an asset chosen in the light, and in focus in the dark", async () => {
      const { page } = world();
      for (const [colorScheme, path, picture] of [
        ["light", "/graph?at=flights%2Fraw_flights", undefined],
        ["dark", "/graph?focus=analytics%2Froute_delays&at=analytics%2Froute_delays", "focus 3"],
      ] as const) {
        await page.emulateMedia({ colorScheme });
        await open(path, picture);
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
        expect(found, `${path}, ${colorScheme}`).toEqual([]);
      }
      await page.emulateMedia({ colorScheme: null });
    });

    it("lays fog over exactly the assets of a location that is killed, until it is back", async () => {
      const { page, headgate } = world();
      await open("/graph");
      await page.evaluate(noteFog);
      await headgate.killLocation("analytics");
      await page.locator(`[data-fogged="${analytics.join(" ")}"]`).waitFor({ timeout: 30_000 });
      await expect
        .poll(async () => (await Promise.all(analytics.map(label))).join(), { timeout: 30_000 })
        .not.toContain("not reached");
      expect(await page.locator("body").getAttribute("data-fogged")).toBe(analytics.join(" "));
    });
  });
}
