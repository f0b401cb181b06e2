import type {
  DimensionDefinition,
  DimensionMapping,
  PartitionMapping,
  PartitionsDefinition,
  SimpleMapping,
} from "@headgate/model";
import type * as wire from "@headgate/proto";
import { exactText, nameText, quoted } from "./bounded-text.ts";
import { bounded } from "./wire-bounds.ts";
import { WireError, missingField } from "./wire-error.ts";

const partitionKeysMax = 100_000;
/** More are refused where the space is made; this bounds what is read. */
const dimensionsMax = 100;

/** How an asset is cut. Throws WireError. */
export function partitions(definition: wire.PartitionsDefinition): PartitionsDefinition {
  if (definition.kind?.$case !== "multi") return dimensionDefinition(definition);
  const dimensions = bounded("dimensions", definition.kind.value.dimensions, dimensionsMax).map((dimension) => {
    const name = exactText("the name of a dimension", dimension.name);
    if (dimension.definition === undefined) throw missingField(`the definition of dimension ${quoted(name)}`);
    return { name, definition: dimensionDefinition(dimension.definition) };
  });
  return { kind: "multi", dimensions };
}

function dimensionDefinition({ kind }: wire.PartitionsDefinition): DimensionDefinition {
  switch (kind?.$case) {
    case "dynamic":
      return { kind: "dynamic", name: nameText("the name of dynamic partitions", kind.value.name) };
    case "multi":
      throw new WireError("wire.out_of_range", "a dimension of partitions has dimensions itself");
    case "static":
      return { kind: "static", keys: partitionKeys(kind.value.keys) };
    case "timeWindow": {
      const end = exactText("the partitions' end", kind.value.end);
      return {
        kind: "timeWindow",
        cron: exactText("the partitions' cron", kind.value.cron),
        timezone: exactText("the partitions' timezone", kind.value.timezone),
        start: exactText("the partitions' start", kind.value.start),
        ...(end === "" ? {} : { end }),
      };
    }
    case undefined:
      throw missingField("the kind of partitions");
  }
}

/** Which upstream partitions a partition reads. Throws WireError. */
export function mapping(given: wire.PartitionMapping): PartitionMapping {
  if (given.kind?.$case !== "dimensions") return simpleMapping(given);
  const dimensions = bounded("dimensions", given.kind.value.dimensions, dimensionsMax).map(dimensionMapping);
  return { kind: "dimensions", dimensions };
}

function dimensionMapping({ upstream, downstream, mapping: of }: wire.DimensionMapping): DimensionMapping {
  if (of === undefined) throw missingField(`the mapping of dimension ${quoted(upstream)}`);
  return {
    upstream: exactText("a dimension of the upstream", upstream),
    ...(downstream === "" ? {} : { downstream: exactText("a dimension of the reader", downstream) }),
    mapping: simpleMapping(of),
  };
}

function simpleMapping({ kind }: wire.PartitionMapping): SimpleMapping {
  switch (kind?.$case) {
    case "dimensions":
      throw new WireError("wire.out_of_range", "the mapping of a dimension has dimensions itself");
    case "identity":
      return { kind: "identity" };
    case "window":
      return { kind: "window", startOffset: kind.value.startOffset, endOffset: kind.value.endOffset };
    case "all":
      return { kind: "all" };
    case "last":
      return { kind: "last" };
    case "static": {
      const entries = bounded("upstream_of", Object.entries(kind.value.upstreamOf), partitionKeysMax);
      // Not by assignment: a partition may be called "__proto__".
      return {
        kind: "static",
        upstreamOf: Object.fromEntries(
          entries.map(([key, upstream]) => [exactText("a partition key", key), partitionKeys(upstream.keys)]),
        ),
      };
    }
    case undefined:
      throw missingField("the kind of a partition mapping");
  }
}

function partitionKeys(keys: readonly string[]): string[] {
  return bounded("partition keys", keys, partitionKeysMax).map((key) => exactText("a partition key", key));
}
