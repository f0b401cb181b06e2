import { readFile } from "node:fs/promises";
import { CliError } from "./cli-error.ts";

type Config = Record<string, Record<string, unknown>>;

/**
 * Config of a run by asset key: what the file says, then `asset.field=value` for each of `settings`. A value is JSON if
 * it reads as JSON, else text.
 *
 * @throws CliError for a file that cannot be read, or a setting of another form
 */
export async function readRunConfig(file: string | undefined, settings: readonly string[]): Promise<Config> {
  const config = new Map(Object.entries(file === undefined ? {} : await readConfigFile(file)));
  for (const setting of settings) {
    const match = /^([^.=\s]+)\.([^=\s]+)=(.*)$/s.exec(setting);
    if (match === null) {
      const hint = "For example --set analytics/daily_revenue.currency=EUR";
      throw new CliError("cli.bad_setting", `--set ${setting} is not asset.field=value.`, hint);
    }
    const [, asset = "", field = "", value = ""] = match;
    config.set(asset, { ...config.get(asset), [field]: parseValue(value) });
  }
  // Whatever its name, a member is one of its own, and never what all objects have.
  return Object.fromEntries(config);
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function readConfigFile(file: string): Promise<Config> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new CliError("cli.bad_config", `${file} cannot be read: ${(error as Error).message}`, "Check --config.");
  }
  let value: unknown;
  try {
    // JSON is YAML.
    value = (await import("yaml")).parse(text);
  } catch (error) {
    throw new CliError("cli.bad_config", `${file} is neither YAML nor JSON: ${(error as Error).message}`, "Mend it.");
  }
  const isObject = (v: unknown): v is Record<string, unknown> =>
    typeof v === "object" && v !== null && !Array.isArray(v);
  if (!isObject(value) || !Object.values(value).every(isObject)) {
    const hint = "It holds an object of config for each asset key: { team/name: { field: value } }.";
    throw new CliError("cli.bad_config", `${file} does not hold config by asset key.`, hint);
  }
  return value as Config;
}

/** @throws CliError for what is not `name=value` */
export function readTags(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at <= 0) throw new CliError("cli.bad_tag", `--tag ${text} is not name=value.`, "For example --tag team=ml");
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
