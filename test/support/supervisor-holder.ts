// Started as a process by tests: a `dev` reduced to its supervisor, to be killed. Arguments: data folder, entries, stub.
import { superviseLocations } from "../../control-plane/src/launchers/location-supervisor.ts";
import type { ModuleEntry } from "../../control-plane/src/workspace/workspace.ts";

const [dataDir = "", entries = "[]", stub = ""] = process.argv.slice(2);
const supervisor = superviseLocations({
  dataDir,
  command: [process.execPath, stub],
  provided: () => ({ HEADGATE_OBJECT_STORE: "/objects" }),
  onListening: (location) => process.send?.(location),
  onExit: () => undefined,
});
await supervisor.apply(JSON.parse(entries) as ModuleEntry[]);
