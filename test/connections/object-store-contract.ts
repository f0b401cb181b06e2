import { createHash, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { ConnectionError, objectKey, type ObjectStore, type StoredObject } from "@headgate/connections";
import { collectGarbage } from "./collect-garbage.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const options = { mediaType: "text/plain" };

/** Chunks of 1 MiB that differ from each other, none of them held. */
async function* chunksOf(mebibytes: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < mebibytes; index += 1) yield new Uint8Array(2 ** 20).fill(index);
}

export function refusal(code: string): unknown {
  return expect.objectContaining({ name: ConnectionError.name, code, hint: expect.stringMatching(/\w/) as string });
}

/** What every object store has to do, whatever it is made of. */
export function describeObjectStore(
  name: string,
  suite: {
    open: () => Promise<ObjectStore>;
    /** Replaces the bytes of an object behind the store's back. */
    corrupt: (object: StoredObject, content: Uint8Array) => Promise<void>;
    /** That 100 MiB may take while they pass. */
    memoryBytesMax: number;
  },
): void {
  describe(name, () => {
    let store: ObjectStore;
    /** Another process's store: it has seen nothing of what was written. */
    let reader: ObjectStore;
    beforeAll(async () => {
      [store, reader] = [await suite.open(), await suite.open()];
      return async () => {
        await store.close();
        await reader.close();
      };
    });
    const newKey = () => `team/asset/${randomUUID()}.txt`;

    it("gives back the bytes that were put, with their digest and size", async () => {
      const stored = await store.put(newKey(), bytes("gate"), options);
      expect(stored).toMatchObject({
        scheme: store.scheme,
        mediaType: "text/plain",
        digest: `sha256:${createHash("sha256").update("gate").digest("hex")}`,
        sizeBytes: 4,
      });
      expect(Buffer.from(await reader.get(stored, { sizeBytesMax: 4 })).toString()).toBe("gate");
      expect(await readFile((await reader.getFile(stored)).path, "utf8")).toBe("gate");
      expect(await store.head(stored.place)).toEqual({ sizeBytes: 4 });
    });

    it("stores an empty object", async () => {
      const stored = await store.put(newKey(), new Uint8Array(), options);
      expect(await store.get(stored, { sizeBytesMax: 0 })).toHaveLength(0);
    });

    it("refuses other bytes under a key that is taken, and keeps the first", async () => {
      const key = newKey();
      const first = await store.put(key, bytes("first"), options);
      await expect(store.put(key, bytes("second"), options)).rejects.toEqual(refusal("object_store.conflict"));
      expect(Buffer.from(await reader.get(first, { sizeBytesMax: 100 })).toString()).toBe("first");
    });

    it("takes the same bytes again without complaint, because an answer may have been lost", async () => {
      const key = newKey();
      const first = await store.put(key, bytes("same"), options);
      expect(await store.put(key, bytes("same"), options)).toEqual(first);
    });

    it("lets exactly one of several concurrent writers of a key win", async () => {
      const key = newKey();
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, (_, writer) => store.put(key, bytes(`writer ${writer}`), options)),
      );
      const won = outcomes.filter((outcome) => outcome.status === "fulfilled");
      const lost = outcomes.filter((outcome) => outcome.status === "rejected");
      expect(won).toHaveLength(1);
      for (const { reason } of lost) expect(reason).toEqual(refusal("object_store.conflict"));
      await reader.get(won[0]!.value, { sizeBytesMax: 100 });
    });

    it("gives nobody an object whose bytes were changed", async () => {
      const stored = await store.put(newKey(), bytes("intact"), options);
      await suite.corrupt(stored, bytes("damage"));
      await expect(reader.get(stored, { sizeBytesMax: 100 })).rejects.toEqual(refusal("object_store.digest_mismatch"));
      await expect(reader.getFile(stored)).rejects.toEqual(refusal("object_store.digest_mismatch"));
    });

    it("reads nothing that comes without a digest", async () => {
      const stored = await store.put(newKey(), bytes("unsigned"), options);
      await expect(store.getFile({ ...stored, digest: "" })).rejects.toEqual(refusal("object_store.digest_mismatch"));
    });

    it("says that an object is not there", async () => {
      const stored = await store.put(newKey(), bytes("gone"), options);
      await store.remove(stored.place);
      await store.remove(stored.place);
      expect(await store.head(stored.place)).toBeUndefined();
      await expect(store.get(stored, { sizeBytesMax: 100 })).rejects.toEqual(refusal("object_store.not_found"));
    });

    it("refuses a reference of another scheme", async () => {
      const object = { scheme: "ftp", place: "a/b", digest: `sha256:${"0".repeat(64)}` };
      await expect(store.getFile(object)).rejects.toEqual(refusal("object_store.scheme_mismatch"));
    });

    it.each(["../outside", "a/../../outside", "/absolute", "a//b", "a/./b", "a\\..\\b", "a\0b", ""])(
      "refuses the place %j, which could lead out of the store",
      async (place) => {
        const digest = `sha256:${"0".repeat(64)}`;
        await expect(store.put(place, bytes("x"), options)).rejects.toEqual(refusal("object_store.place_invalid"));
        await expect(store.getFile({ scheme: store.scheme, place, digest })).rejects.toEqual(
          refusal("object_store.place_invalid"),
        );
      },
    );

    it.each([
      "São Paulo",
      "../../etc/passwd",
      "a b+c%2F?&#",
      "2026-10-25T02:00+02:00",
      "..",
      "漢字".repeat(90),
      "'\"`$(x)",
    ])("stores and reads under keys made of the partition key %j", async (partitionKey) => {
      const key = objectKey({ assetKey: "team/asset", partitionKey, versionId: randomUUID() }, "txt");
      const stored = await store.put(key, bytes(partitionKey), options);
      expect(Buffer.from(await reader.get(stored, { sizeBytesMax: 1_000 })).toString()).toBe(partitionKey);
    });

    it("refuses to read more into memory than the caller allows", async () => {
      const stored = await store.put(newKey(), bytes("too much"), options);
      await expect(store.get(stored, { sizeBytesMax: 7 })).rejects.toEqual(refusal("object_store.too_large"));
    });

    it("streams 100 MiB in and out without holding them in memory", async () => {
      collectGarbage();
      const before = process.memoryUsage();
      let mostBytes = 0;
      const sample = setInterval(() => {
        const { external, heapUsed } = process.memoryUsage();
        mostBytes = Math.max(mostBytes, external + heapUsed - before.external - before.heapUsed);
      }, 5);
      const stored = await store.put(newKey(), chunksOf(100), options);
      const file = await reader.getFile(stored);
      clearInterval(sample);
      expect(stored.sizeBytes).toBe(100 * 2 ** 20);
      expect(mostBytes).toBeLessThan(suite.memoryBytesMax);
      const content = await readFile(file.path);
      expect(createHash("sha256").update(content).digest("hex")).toBe(stored.digest.slice("sha256:".length));
    });

    it("leaves nothing visible when a writer's source breaks in the middle", async () => {
      const key = newKey();
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield bytes("half of ");
        throw new Error("the source broke");
      }
      await expect(store.put(key, broken(), options)).rejects.toThrow("the source broke");
      const whole = await store.put(key, bytes("all of it"), options);
      expect(Buffer.from(await store.get(whole, { sizeBytesMax: 100 })).toString()).toBe("all of it");
    });

    it("stops when it is asked to", async () => {
      const stop = new AbortController();
      async function* endless(): AsyncGenerator<Uint8Array> {
        for (let index = 0; ; index += 1) {
          if (index === 3) stop.abort();
          yield bytes("more");
        }
      }
      const key = newKey();
      await expect(store.put(key, endless(), { ...options, signal: stop.signal })).rejects.toMatchObject({
        name: "AbortError",
      });
      await store.put(key, bytes("free"), options);
    });
  });
}
