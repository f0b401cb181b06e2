import { assetKeyRule, parseAssetKey, teamOf } from "@headgate/model";
import { describeValue } from "./fields.ts";
import { DefinitionProblem } from "./problem.ts";

/**
 * The key that an asset had before, as it goes into the manifest; empty: it had no other.
 *
 * @throws DefinitionProblem for one that is no key, is another team's, or is the asset's own
 */
export function describeFormerKey(
  what: string,
  { key, formerly }: { readonly key: string; readonly formerly?: string },
  team: string,
): string {
  if (formerly === undefined) return "";
  const parsed = parseAssetKey(formerly);
  if (parsed !== undefined && teamOf(parsed) === team && formerly !== key) return formerly;
  const why =
    parsed === undefined
      ? `is not an asset key: ${assetKeyRule}`
      : formerly === key
        ? "is its own key"
        : "is another team's";
  throw new DefinitionProblem(
    "definition.invalid_former_key",
    `${what} says that it was formerly ${describeValue(formerly)}, which ${why}.`,
    `Name the key that it had before, as "${team}/name"; a history never leaves its team.`,
  );
}
