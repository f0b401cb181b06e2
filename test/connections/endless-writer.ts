// Writes to an object store and never ends: the test that starts it kills it in the middle.
import { openObjectStore } from "@headgate/connections";

const [url = "", key = ""] = process.argv.slice(2);
const store = await openObjectStore(url);

async function* endless(): AsyncGenerator<Uint8Array> {
  for (let index = 0; ; index += 1) {
    yield new Uint8Array(2 ** 16);
    if (index === 20) process.stdout.write("writing\n");
    if (index >= 20) await new Promise(setImmediate);
  }
}

await store.put(key, endless(), { mediaType: "application/octet-stream" });
