// Takes the pictures of the documentation from the example, which must be running (`npm start`):
//
//     node docs/screenshots.mjs [http://127.0.0.1:3000]
//
// They are WebP, which Chromium makes itself, so that a picture costs little in the repository.
import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const url = process.argv[2] ?? "http://127.0.0.1:3000";
const folder = fileURLToPath(new URL("images/", import.meta.url));
const quality = 0.82;

const ask = async (path) => (await fetch(`${url}${path}`)).json();
const failed = (await ask("/api/v1/runs?state=failed&limit=1")).items[0];
if (failed === undefined) throw new Error("No run has failed yet: npx headgate materialize team:etl");
const blockedStep = (await ask(`/api/v1/runs/${failed.id}/steps`)).items.find(({ state }) => state === "blocked");

/** `shows`: what is there once the answers of the API are. */
const pictures = [
  { name: "home", path: "/", colorScheme: "light", shows: "What opens it" },
  {
    name: "asset",
    path: "/assets/flights%2Fraw_flights?partition=2001-07",
    colorScheme: "light",
    shows: "What opens it",
  },
  {
    name: "run",
    path: `/runs/${failed.id}?step=${blockedStep?.index ?? 0}`,
    colorScheme: "dark",
    shows: "never started",
  },
  { name: "launch", path: "/launch?sel=team%3Aanalytics", colorScheme: "dark", shows: "Forecast" },
];

const browser = await chromium.launch({
  executablePath: process.env.HEADGATE_TEST_CHROMIUM ?? "/usr/bin/chromium",
  args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
});
await mkdir(folder, { recursive: true });
for (const { name, path, colorScheme, shows } of pictures) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 760 }, colorScheme });
  const page = await context.newPage();
  await page.goto(`${url}${path}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.getByRole("status").getByText("live").waitFor();
  await page.getByText(shows).first().waitFor();
  const png = (await page.screenshot()).toString("base64");
  await page.goto("about:blank");
  const webp = await page.evaluate(
    async ([source, part]) => {
      const image = new Image();
      image.src = `data:image/png;base64,${source}`;
      await image.decode();
      const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
      canvas.getContext("2d").drawImage(image, 0, 0);
      return canvas.toDataURL("image/webp", part).split(",")[1];
    },
    [png, quality],
  );
  const bytes = Buffer.from(webp, "base64");
  await writeFile(`${folder}${name}.webp`, bytes);
  console.log(`docs/images/${name}.webp  ${Math.ceil(bytes.length / 1_000)} kB`);
  await context.close();
}
await browser.close();
