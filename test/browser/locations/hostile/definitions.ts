import { json, objectStore } from "@headgate/connections";
import { asset, assetCheck, definitions, env } from "@headgate/sdk";

/** Every field of a definition and of what it reports that people read, holding what a page must not run. */
const markup = `<img src="https://elsewhere.invalid/x.png" onerror="document.title = 'run'"><script>document.title = 'run'</script>`;

const everything = asset({
  key: "hostile/everything",
  description: markup,
  group: "hostile",
  kinds: ["html"],
  compute: async (_inputs, { metadata, log }) => {
    console.log(markup);
    console.error(`\u001b]0;title\u0007${markup}`);
    log.info(markup);
    metadata({
      text: markup,
      markdown: {
        kind: "markdown",
        value: `# Report\n\n${markup}\n\n[run](javascript:document.title='run') ![seen](https://elsewhere.invalid/y.png)`,
      },
      link: { kind: "url", value: "javascript:document.title='run'" },
    });
    return { rows: 1 };
  },
});

const judged = assetCheck({
  asset: everything,
  name: "judged",
  blocking: true,
  run: () => ({ passed: false, description: markup, metadata: { found: markup } }),
});

export default definitions({
  team: "hostile",
  io: json({ store: objectStore(env("HEADGATE_OBJECT_STORE")) }),
  assets: [everything],
  checks: [judged],
});
