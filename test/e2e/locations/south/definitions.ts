import { json, objectStore } from "@headgate/connections";
import { asset, definitions, env } from "@headgate/sdk";
import { hen } from "../north/contract.ts";
import * as contract from "./contract.ts";

const open = asset({ ...contract.open, compute: () => "south" });
const diary = asset({ ...contract.diary, compute: () => "dear" });
const egg = asset({ ...contract.egg, deps: { hen }, compute: () => "egg" });

export default definitions({
  team: "south",
  io: json({ store: objectStore(env("HEADGATE_OBJECT_STORE")) }),
  assets: [open, diary, egg],
});
