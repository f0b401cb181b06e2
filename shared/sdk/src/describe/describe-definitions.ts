import type { DefinitionError, SourceLocation } from "@headgate/proto";
import { cleanText, parseAssetKey } from "@headgate/model";
import type { AnyAssetCheck } from "../asset-check.ts";
import type { AnyAssetChecks } from "../asset-checks.ts";
import { groupMembers } from "../asset-checks.ts";
import type { AnyAsset } from "../asset.ts";
import type { AnyExternalAsset } from "../external-asset.ts";
import type { Definitions } from "../definitions.ts";
import { ioManagersOf } from "../definitions.ts";
import type { IoManager } from "../io-manager.ts";
import type { AnyMultiAsset } from "../multi-asset.ts";
import type { OutputAsset } from "../output-assets.ts";
import { outputAssets } from "../output-assets.ts";
import type { Schedule } from "../schedule.ts";
import type { AnySensor } from "../sensor.ts";
import type { CodeBase } from "../step/code-base.ts";
import type { DescribedEntry } from "../step/worker-protocol.ts";
import { checkIo } from "./check-io.ts";
import { describeAsset } from "./describe-asset.ts";
import { checkGroup, describeCheck, describeReportedCheck } from "./describe-check.ts";
import { describeExternalAsset } from "./describe-external-asset.ts";
import { describeSchedule } from "./describe-schedule.ts";
import { describeSensor } from "./describe-sensor.ts";
import { failedModuleOf } from "./failed-module.ts";
import { describeValue } from "./fields.ts";
import { checkMultiAsset, checkOutput } from "./check-multi-asset.ts";
import { DefinitionProblem } from "./problem.ts";

/** What a location defines, described; what is usable of it for running steps. */
export interface DescribedDefinitions {
  readonly entries: readonly DescribedEntry[];
  readonly assets: ReadonlyMap<string, AnyAsset>;
  readonly checks: ReadonlyMap<string, AnyAssetCheck>;
  /** By "team/name". */
  readonly sensors: ReadonlyMap<string, AnySensor>;
  /** Of `assets`, those of multi-assets. */
  readonly outputs: ReadonlyMap<string, OutputAsset>;
}

const fieldNames = ["team", "io", "assets", "checks", "schedules", "sensors"];

/** Describes the default export of a location's definitions module. Never throws: what is wrong becomes an entry. */
export class DefinitionsDescriber {
  readonly #codeBase: CodeBase;
  readonly #entrySource: string;
  readonly #codeVersionOf: (asset: AnyAsset) => string;
  readonly #entries = new Map<string, DescribedEntry>();
  readonly #assets = new Map<string, AnyAsset>();
  readonly #checks = new Map<string, AnyAssetCheck>();
  readonly #sensors = new Map<string, AnySensor>();
  readonly #outputs = new Map<string, OutputAsset>();
  readonly #broken = new Set<string>();
  /** Stores the values of assets without an IO manager of their own. */
  #io: IoManager | undefined;

  constructor(codeBase: CodeBase, entrySource: string, codeVersionOf: (asset: AnyAsset) => string) {
    this.#codeBase = codeBase;
    this.#entrySource = entrySource;
    this.#codeVersionOf = codeVersionOf;
  }

  describe(exported: unknown): DescribedDefinitions {
    const definitions = this.#accepted(exported);
    if (definitions !== undefined) {
      const { team, assets, checks, schedules, sensors } = definitions;
      this.#io = ioManagersOf(definitions.io)[0];
      this.#list("assets", assets, (asset, at) => {
        if ((asset as { kind?: unknown }).kind === "multiAsset") this.#multiAsset(asset as AnyMultiAsset, at, team);
        else this.#asset(asset as AnyAsset | AnyExternalAsset, at, team);
      });
      this.#list("checks", checks, (check, at) => this.#listed(check as AnyAssetCheck | AnyAssetChecks, at));
      this.#list("schedules", schedules, (schedule, at) => this.#schedule(schedule as Schedule, at, team));
      this.#list("sensors", sensors, (sensor, at) => this.#sensor(sensor as AnySensor, at, team));
    }
    return {
      entries: [...this.#entries.values()],
      assets: this.#assets,
      checks: this.#checks,
      sensors: this.#sensors,
      outputs: this.#outputs,
    };
  }

  #accepted(exported: unknown): Definitions | undefined {
    const given = exported as Definitions | undefined;
    if (given?.kind !== "definitions") {
      this.#refuse("module", this.#entrySource, undefined, {
        code: "definition.no_definitions",
        message: `${this.#entrySource} has no default export made by definitions({ ... }): it is ${describeValue(exported)}.`,
        hint: "End the file with: export default definitions({ team, assets: [...] });",
      });
      return undefined;
    }
    const source = this.#codeBase.sourceOf(given);
    const unknown = Object.keys(given).filter((name) => !fieldNames.includes(name) && name !== "kind");
    if (unknown.length > 0) {
      this.#refuse("module", this.#entrySource, source, {
        code: "definition.unknown_field",
        message: `definitions({ ... }) has the unknown field "${unknown.join('", "')}".`,
        hint: `Known fields: ${fieldNames.join(", ")}.`,
      });
    }
    if (typeof given.team !== "string" || !parseAssetKey(`${given.team}/x`) || given.team.includes("/")) {
      this.#refuse("module", this.#entrySource, source, {
        code: "definition.team_invalid",
        message: `"team" of definitions({ ... }) is ${describeValue(given.team)}.`,
        hint: "Give the team's name: a-z, 0-9, _ and -.",
      });
      return undefined;
    }
    const managers = [given.io ?? []].flat();
    if (managers.some((io) => io?.kind !== "ioManager" && failedModuleOf(io) === undefined)) {
      this.#refuse("module", `${this.#entrySource}#io`, source, {
        code: "definition.invalid",
        message: `"io" of definitions({ ... }) is ${describeValue(given.io)} and not an IO manager, or a list of them.`,
        hint: "Make it with ioManager({ ... }), or take one of a connections package.",
      });
    }
    this.#ioManagers(managers, source);
    return given;
  }

  #ioManagers(managers: readonly unknown[], source: SourceLocation | undefined): void {
    managers.forEach((io, index) => {
      if ((io as IoManager | undefined)?.kind !== "ioManager") return;
      try {
        checkIo(`io[${index}] of definitions({ ... })`, io as IoManager);
      } catch (error) {
        this.#refuse("module", `${this.#entrySource}#io[${index}]`, source, error);
      }
    });
  }

  #list(name: string, values: unknown, describe: (value: object, at: string) => void): void {
    if (failedModuleOf(values) !== undefined) return;
    if (!Array.isArray(values)) {
      this.#refuse("module", `${this.#entrySource}#${name}`, undefined, {
        code: "definition.invalid",
        message: `"${name}" of definitions({ ... }) is ${describeValue(values)} and not a list.`,
        hint: `Write ${name}: [ ... ].`,
      });
      return;
    }
    values.forEach((value: unknown, index) => {
      const at = `${this.#entrySource}#${name}[${index}]`;
      // The module's own entry says why it did not load; an element that was to come from it adds nothing.
      if (failedModuleOf(value) !== undefined && !Object.hasOwn(value as object, "kind")) return;
      if (typeof value === "object" && value !== null) return describe(value, at);
      this.#refuse("module", at, undefined, {
        code: "definition.invalid",
        message: `${name}[${index}] of definitions({ ... }) is ${describeValue(value)}.`,
        hint: "An import cycle is the usual reason for undefined, or a name that the module does not export.",
      });
    });
  }

  #multiAsset(multi: AnyMultiAsset, at: string, team: string): void {
    const outputs = outputAssets(multi);
    if (outputs.length === 0) {
      this.#refuse("module", at, this.#codeBase.sourceOf(multi), {
        code: "definition.invalid",
        message: "A multi-asset has no assets.",
        hint: "Give `assets: { name: assetSpec({ key }) }`, or make an asset of it.",
      });
      return;
    }
    for (const output of outputs) this.#asset(output.asset, `${at}.${output.name}`, team, output);
    const lost = outputs.find(({ asset }) => this.#assets.get(asset.key) !== asset);
    if (lost === undefined || multi.canSubset) return;
    // Nothing of it can be computed: better said here than by each step that fails.
    for (const { asset } of outputs) {
      if (this.#assets.get(asset.key) !== asset) continue;
      this.#assets.delete(asset.key);
      this.#outputs.delete(asset.key);
      this.#broken.add(asset.key);
      this.#refuse("asset", asset.key, this.#codeBase.sourceOf(asset), {
        code: "definition.sibling_broken",
        message: `One call computes asset ${asset.key} together with ${describeValue(lost.asset.key)}, which did not load.`,
        hint: "Mend that one; its own error says what is wrong with it.",
      });
    }
  }

  #asset(asset: AnyAsset | AnyExternalAsset, at: string, team: string, output?: OutputAsset): void {
    const source = this.#codeBase.sourceOf(asset);
    const isNamed = typeof asset.key === "string" && parseAssetKey(asset.key) !== undefined;
    const key = isNamed ? asset.key : at;
    const isTaken = this.#entries.has(`asset ${key}`) || this.#broken.has(key);
    if (isNamed && isTaken) return this.#duplicate("asset", key, this.#sourceOfEntry("asset", key), source);
    try {
      const module = failedModuleOf(asset);
      if (module !== undefined) {
        throw new DefinitionProblem(
          "definition.module_failed",
          `An asset here is built from ${module}, which did not load.`,
          `Mend ${module}; its own error says what is wrong with it.`,
        );
      }
      const described = this.#describedAsset(asset, key, isNamed, team, output);
      if (asset.kind === "asset") this.#assets.set(key, asset);
      if (output !== undefined) this.#outputs.set(key, output);
      const definition = { definition: { $case: "asset", value: { ...described, source } } } as const;
      this.#entries.set(`asset ${key}`, { kind: "asset", key, definition });
      this.#reportedChecks(asset, source);
    } catch (error) {
      this.#broken.add(key);
      this.#refuse(isNamed ? "asset" : "module", key, source, error);
    }
  }

  #describedAsset(
    asset: AnyAsset | AnyExternalAsset,
    key: string,
    isNamed: boolean,
    team: string,
    output: OutputAsset | undefined,
  ) {
    if (output !== undefined) {
      checkMultiAsset(output.multi);
      checkOutput(output);
    }
    switch (asset.kind) {
      case "asset":
        return describeAsset(asset, team, this.#codeVersionOf(asset), this.#io, output?.part);
      case "externalAsset":
        return describeExternalAsset(asset, team);
    }
    throw new DefinitionProblem(
      "definition.invalid",
      `${key} was not made by asset({ ... })${isNamed ? ": it looks like a spec" : ""}.`,
      "Implement a spec with asset({ ...spec, compute }), and list that.",
    );
  }

  /** The checks that an asset declares itself, each as a definition of its own. */
  #reportedChecks(asset: AnyAsset | AnyExternalAsset, source: SourceLocation | undefined): void {
    const reporter = asset.kind === "externalAsset" ? "api" : "compute";
    for (const [name, check] of Object.entries(asset.checks ?? {})) {
      const key = `${asset.key}@${name}`;
      if (this.#entries.has(`check ${key}`)) {
        this.#duplicate("check", key, this.#sourceOfEntry("check", key), source);
        continue;
      }
      try {
        const described = describeReportedCheck(asset.key, name, check, reporter);
        const definition = { definition: { $case: "check", value: { ...described, source } } } as const;
        this.#entries.set(`check ${key}`, { kind: "check", key, definition });
      } catch (error) {
        this.#refuse("check", key, source, error);
      }
    }
  }

  #listed(check: AnyAssetCheck | AnyAssetChecks, at: string): void {
    const source = this.#codeBase.sourceOf(check);
    if (check.kind !== "assetChecks") return this.#check(check, at, source);
    try {
      checkGroup(check);
    } catch (error) {
      return this.#refuse("module", at, source, error);
    }
    for (const member of groupMembers(check)) this.#check(member, at, source);
  }

  #check(check: AnyAssetCheck, at: string, source: SourceLocation | undefined): void {
    const isNamed = typeof check.asset?.key === "string" && typeof check.name === "string";
    const key = isNamed ? `${check.asset.key}@${check.name}` : at;
    if (this.#entries.has(`check ${key}`))
      return this.#duplicate("check", key, this.#sourceOfEntry("check", key), source);
    try {
      if (check.kind !== "assetCheck") {
        throw new DefinitionProblem(
          "definition.invalid",
          `${key} was not made by assetCheck({ ... }).`,
          "Make it with assetCheck.",
        );
      }
      const described = describeCheck(check);
      if (this.#broken.has(check.asset.key)) {
        throw new DefinitionProblem(
          "definition.asset_broken",
          `The asset ${check.asset.key} of this check did not load.`,
          "Mend the asset; its own error says what is wrong with it.",
        );
      }
      this.#checks.set(key, check);
      const definition = { definition: { $case: "check", value: { ...described, source } } } as const;
      this.#entries.set(`check ${key}`, { kind: "check", key, definition });
    } catch (error) {
      this.#refuse(isNamed ? "check" : "module", key, source, error);
    }
  }

  #schedule(schedule: Schedule, at: string, team: string): void {
    const source = this.#codeBase.sourceOf(schedule);
    const isNamed = typeof schedule.name === "string" && parseAssetKey(schedule.name) !== undefined;
    const key = isNamed ? schedule.name : at;
    if (this.#entries.has(`schedule ${key}`)) {
      return this.#duplicate("schedule", key, this.#sourceOfEntry("schedule", key), source);
    }
    try {
      if (schedule.kind !== "schedule") {
        throw new DefinitionProblem(
          "definition.invalid",
          `${key} was not made by schedule({ ... }).`,
          "Make it with schedule.",
        );
      }
      const value = { ...describeSchedule(schedule, team), source };
      this.#entries.set(`schedule ${key}`, {
        kind: "schedule",
        key,
        definition: { definition: { $case: "schedule", value } },
      });
    } catch (error) {
      this.#refuse(isNamed ? "schedule" : "module", key, source, error);
    }
  }

  #sensor(sensor: AnySensor, at: string, team: string): void {
    const source = this.#codeBase.sourceOf(sensor);
    const isNamed = typeof sensor.name === "string" && parseAssetKey(sensor.name) !== undefined;
    const key = isNamed ? sensor.name : at;
    if (this.#entries.has(`sensor ${key}`)) {
      return this.#duplicate("sensor", key, this.#sourceOfEntry("sensor", key), source);
    }
    try {
      if (sensor.kind !== "sensor") {
        throw new DefinitionProblem(
          "definition.invalid",
          `${key} was not made by sensor({ ... }).`,
          "Make it with sensor.",
        );
      }
      const described = describeSensor(sensor, team);
      this.#sensors.set(key, sensor);
      const definition = { definition: { $case: "sensor", value: { ...described, source } } } as const;
      this.#entries.set(`sensor ${key}`, { kind: "sensor", key, definition });
    } catch (error) {
      this.#refuse(isNamed ? "sensor" : "module", key, source, error);
    }
  }

  /** Of two with one name neither can be told to be meant: both are refused, with both places. */
  #duplicate(
    kind: "asset" | "check" | "schedule" | "sensor",
    key: string,
    first: SourceLocation | undefined,
    second: SourceLocation | undefined,
  ): void {
    if (kind === "sensor") this.#sensors.delete(key);
    else if (kind !== "schedule") {
      this.#assets.delete(key);
      this.#outputs.delete(key);
      this.#checks.delete(key);
      this.#broken.add(key);
    }
    const place = (source: SourceLocation | undefined) =>
      source ? `${source.file}:${source.line}` : "an unknown place";
    this.#refuse(kind, key, second, {
      code: "definition.duplicate",
      message: `The ${kind} ${key} is defined twice in this location: ${place(first)} and ${place(second)}.`,
      hint: "Rename or remove one of them.",
    });
  }

  #sourceOfEntry(kind: string, key: string): SourceLocation | undefined {
    const entry = this.#entries.get(`${kind} ${key}`);
    return entry?.error?.source ?? entry?.definition?.definition?.value.source;
  }

  #refuse(kind: DescribedEntry["kind"], key: string, source: SourceLocation | undefined, problem: unknown): void {
    const { code, message, hint } = problem as Partial<DefinitionProblem>;
    const error: DefinitionError = {
      code: typeof code === "string" && code.startsWith("definition.") ? code : "definition.invalid",
      message: cleanText(String(message ?? problem)),
      hint: cleanText(hint ?? ""),
      source,
    };
    this.#entries.set(`${kind} ${key}`, { kind, key: cleanText(key), error });
  }
}
