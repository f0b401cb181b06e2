import { expect, test } from "vitest";
import { diffMarkdown } from "../../control-plane/src/cli/commands/diff-markdown.ts";
import { buildGraph } from "../../control-plane/src/domain/graph.ts";
import { workspaceDiff } from "../../control-plane/src/domain/workspace-diff.ts";
import { assetOf, checkOf, lastGood, locationOf } from "../support/graph-definitions.ts";

const graph = (segment: ReturnType<typeof locationOf>) => buildGraph([segment], new Map());

test("a diff in Markdown shows names as code, so that none of them formats, links, mentions or ends its span", () => {
  const message = "it says `x` | <img src=a> @someone #1 ``\n\n# not a heading";
  const broken = { code: "definition.invalid", message, hint: "mend it", source: { file: "a.ts", line: 3 } };
  const markdown = diffMarkdown(
    workspaceDiff(
      graph(locationOf("a", [assetOf("a/x")], [checkOf("a/x", "*rows*")])),
      graph(
        locationOf(
          "a",
          [lastGood(assetOf("a/x"), broken), assetOf("a/y_z")],
          [checkOf("a/x", "*rows*", { blocking: false })],
        ),
      ),
    ),
  );
  expect(markdown).toBe(
    [
      "### Headgate: 1 added, 1 refused, 1 check weakened.",
      "",
      "**⚠ Refused definitions**",
      "",
      "- `a/x` in `a/a.ts:3`, which was good: ``` it says `x` | <img src=a> @someone #1 `` # not a heading ``` `mend it`",
      "",
      "**⚠ Weakened checks**",
      "",
      "- `a/x@a:*rows*`: blocking → not blocking",
      "",
      "**Added assets**",
      "",
      "- `a/y_z`",
      "",
    ].join("\n"),
  );
});
