import type { Manifest, ReceivedDefinition } from "../domain/manifest.ts";
import type { LocationClient } from "./location-client.ts";

/** A location that reloads while it is asked changes its manifest under us. */
const triesMax = 3;

/**
 * All that a location defines now. A definition that it lists and did not send is missing from `definitions`.
 *
 * @throws LocationError
 */
export async function fetchDefinitions(
  client: LocationClient,
): Promise<{ readonly manifest: Manifest; readonly definitions: ReadonlyMap<string, ReceivedDefinition> }> {
  await client.handshake();
  for (let attempt = 1; ; attempt++) {
    const manifest = await client.manifest("");
    if (manifest === undefined) throw new Error("a location answered that nothing has changed since nothing");
    const hashes = [...new Set(manifest.entries.flatMap(({ hash }) => hash ?? []))];
    const definitions = await client.definitions(hashes);
    if (definitions.size === hashes.length || attempt === triesMax) return { manifest, definitions };
  }
}
