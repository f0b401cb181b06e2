// Every mistake that a definition can make, beside good ones: see refused-definitions.test.ts.
import { json, objectStore } from "@headgate/connections";
import { asset, cronPartitions, definitions, env } from "@headgate/sdk";
import * as south from "../south/contract.ts";
import * as contract from "./contract.ts";
import { fromThrowingModule } from "./throws.ts";

const fine = asset({ key: "north/fine", deps: { open: south.open }, compute: ({ open }) => `${open} and north` });
const shared = asset({ ...contract.shared, compute: () => "north" });

const twice = asset({ key: "north/twice", compute: () => 1 });
const twiceAgain = asset({ key: "north/twice", compute: () => 2 });
const stolen = asset({ key: "south/stolen", compute: () => 1 });
const hen = asset({ ...contract.hen, deps: { egg: south.egg }, compute: () => "hen" });
const lonely = asset({ key: "north/lonely", deps: { opera: south.opera }, compute: () => 1 });
const nosy = asset({ key: "north/nosy", deps: { diary: south.diary }, compute: () => 1 });
const neverTicks = cronPartitions({ start: "2001-01-01", cron: "61 * * * *" });
const misshapen = asset({ key: "north/misshapen", partitions: neverTicks, compute: () => 1 });

export default definitions({
  team: "north",
  io: json({ store: objectStore(env("HEADGATE_OBJECT_STORE")) }),
  assets: [fine, shared, twice, twiceAgain, stolen, hen, lonely, nosy, misshapen, fromThrowingModule, 42 as never],
});
