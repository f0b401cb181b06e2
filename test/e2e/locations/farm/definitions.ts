import { json, objectStore } from "@headgate/connections";
import { asset, definitions, env } from "@headgate/sdk";

export default definitions({
  team: "farm",
  io: json({ store: objectStore(env("HEADGATE_OBJECT_STORE")) }),
  assets: [asset({ key: "farm/wheat", compute: () => 100 })],
});
