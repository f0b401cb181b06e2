import { z } from "zod";
import { version } from "./asset.ts";
import { route } from "./route.ts";
import * as shape from "./shapes.ts";

const api = "/api/v1";
const oneAsset = z.object({ key: shape.assetKeyParam });
const entriesMax = 256;
const valueLengthMax = 65_536;

const metadata = z
  .record(
    shape.text(255).min(1),
    shape.storableJson.refine(
      (value) => JSON.stringify(value ?? null).length <= valueLengthMax,
      `must not be longer than ${valueLengthMax} characters`,
    ),
  )
  .refine((all) => Object.keys(all).length <= entriesMax, `at most ${entriesMax} entries`)
  .describe(
    'values by name: text, numbers, booleans, or JSON; { "kind": "markdown" | "url" | "path" | "timestamp", "value": text } says more',
  );

const dataVersion = shape
  .text(1_024)
  .min(1)
  .describe("a change of it is news to readers: a digest, an ETag, a modification time");
const partition = shape.partitionKey.default("");

const reported = z
  .object({
    version,
    changed: z.boolean().describe("whether the version is new"),
    run: shape.id.nullable().describe("the run of its checks; null: it has none to run"),
  })
  .meta({ id: "Reported" });

/** What others say of external assets. */
export const reportRoutes = {
  reportMaterialization: route({
    method: "POST",
    path: `${api}/assets/{key}/materializations`,
    tag: "reports",
    summary: "Reports a new version of an external asset; its checks are requested at once",
    params: oneAsset,
    body: z
      .strictObject({
        partition,
        dataVersion: dataVersion.optional(),
        value: z
          .strictObject({
            scheme: shape.text(64).min(1).describe('for example "s3" or "file"'),
            place: shape.text(4_096).min(1),
            mediaType: shape.text(255).default(""),
            digest: shape.text(255).default("").describe('"sha256:<hex>"; the default of dataVersion'),
            sizeBytes: z.int().min(0).default(0),
          })
          .optional()
          .describe("where the value is, for readers with a resource for its scheme"),
        metadata: metadata.default({}),
      })
      .meta({ id: "MaterializationReport" }),
    status: 201,
    answer: reported,
  }),
  reportObservation: route({
    method: "POST",
    path: `${api}/assets/{key}/observations`,
    tag: "reports",
    summary:
      "Reports what was seen of an external asset: another data version is a version without a value. Of an unversioned one: it may have changed, so its checks run again",
    params: oneAsset,
    body: z
      .strictObject({ partition, dataVersion: dataVersion.optional(), metadata: metadata.default({}) })
      .meta({ id: "ObservationReport" }),
    status: 200,
    answer: reported,
  }),
  reportCheckResult: route({
    method: "POST",
    path: `${api}/assets/{key}/checks/{name}/results`,
    tag: "reports",
    summary: "Reports a verdict on a version of an external asset, of a check that is declared as reported",
    params: z.object({ key: shape.assetKeyParam, name: shape.name }),
    body: z
      .strictObject({
        version: shape.idParam.describe("the version that was judged"),
        team: shape.text(255).min(1).optional().describe("owner of the check; default: the asset's team"),
        passed: z.boolean(),
        severity: z.enum(["WARN", "ERROR"]).default("ERROR").describe("what not passing means"),
        description: shape.text(4_096).default(""),
        metadata: metadata.default({}),
      })
      .meta({ id: "CheckResultReport" }),
    status: 201,
    answer: version,
  }),
};
