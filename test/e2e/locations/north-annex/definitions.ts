import { json, objectStore } from "@headgate/connections";
import { asset, definitions, env } from "@headgate/sdk";
import { shared as contract } from "../north/contract.ts";

const shared = asset({ ...contract, compute: () => "annex" });
const annex = asset({ key: "north/annex", compute: () => "annex" });

export default definitions({
  team: "north",
  io: json({ store: objectStore(env("HEADGATE_OBJECT_STORE")) }),
  assets: [shared, annex],
});
