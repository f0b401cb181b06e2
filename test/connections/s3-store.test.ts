import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CreateBucketCommand, ListMultipartUploadsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openObjectStore, parseObjectStoreUrl, type ObjectStore } from "@headgate/connections";
import { s3Store, type S3StoreOptions } from "../../shared/connections/src/s3-store.ts";
import { s3ServerProblem, startS3Server, type S3Server } from "../support/s3-server.ts";
import { collectGarbage } from "./collect-garbage.ts";
import { describeObjectStore, refusal } from "./object-store-contract.ts";

// Where CI installed the server its absence must not pass for success.
const problem = process.env["HEADGATE_REQUIRE_S3"] === "1" ? undefined : s3ServerProblem();
if (problem !== undefined) console.warn(problem);

const bucket = "values";
let server: S3Server;
let client: S3Client;
const urlTo = (place: string) => `s3://${place}?endpoint=${server.endpoint}&forcePathStyle=true`;
const open = (options: S3StoreOptions) => s3Store(parseObjectStoreUrl(urlTo(`${bucket}/options`)) as never, options);

describe.skipIf(problem !== undefined)("S3", () => {
  beforeAll(async () => {
    server = await startS3Server();
    process.env["AWS_ACCESS_KEY_ID"] = server.accessKeyId;
    process.env["AWS_SECRET_ACCESS_KEY"] = server.secretAccessKey;
    client = new S3Client({ endpoint: server.endpoint, region: "us-east-1", forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
  });
  afterAll(async () => {
    client.destroy();
    await server.stop();
  });

  describeObjectStore("An object store in a bucket", {
    open: () => openObjectStore(urlTo(`${bucket}/some/prefix`)),
    corrupt: async (object, content) => {
      const [, ...key] = object.place.split("/");
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: key.join("/"), Body: content }));
    },
    memoryBytesMax: 60 * 2 ** 20,
  });

  describe("An S3 store", () => {
    const mediaType = "application/octet-stream";

    it("says in a place which bucket and key it is, so that a reader with another prefix finds it", async () => {
      const [writer, reader] = [
        await openObjectStore(urlTo(`${bucket}/a`)),
        await openObjectStore(urlTo(`${bucket}/b`)),
      ];
      const stored = await writer.put("team/x.bin", new Uint8Array([7]), { mediaType });
      expect(stored.place).toBe(`${bucket}/a/team/x.bin`);
      expect(await reader.get(stored, { sizeBytesMax: 1 })).toEqual(Buffer.from([7]));
      await Promise.all([writer.close(), reader.close()]);
    });

    it("sends a large object in parts, whole or not at all, and only where nothing is", async () => {
      const store = await open({ multipartBytesMin: 2 ** 20, memoryBytesMax: 1, partBytes: 5 * 2 ** 20 });
      const key = `${randomUUID()}.bin`;
      const fill = (byte: number) => (path: string) => writeFile(path, Buffer.alloc(12 * 2 ** 20, byte));
      const stored = await store.putFile(key, fill(1), { mediaType });
      expect(stored.sizeBytes).toBe(12 * 2 ** 20);
      await expect(store.putFile(key, fill(2), { mediaType })).rejects.toEqual(refusal("object_store.conflict"));
      expect(await store.putFile(key, fill(1), { mediaType })).toEqual(stored);

      await store.close();
    });

    it("leaves no parts behind when it is stopped between them", async () => {
      const store = await open({ multipartBytesMin: 2 ** 20, memoryBytesMax: 1, partBytes: 5 * 2 ** 20 });
      const uploads = async () =>
        (await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: "options/stopped" }))).Uploads ??
        [];
      const stop = new AbortController();
      const fill = (path: string) => writeFile(path, Buffer.alloc(100 * 2 ** 20));
      const outcome = store
        .putFile("stopped.bin", fill, { mediaType, signal: stop.signal })
        .catch((error: unknown) => error);
      await vi.waitUntil(async () => (await uploads()).length > 0, { timeout: 20_000, interval: 5 });
      stop.abort();
      expect(await outcome).toMatchObject({ name: "AbortError" });
      expect(await store.head(`${bucket}/options/stopped.bin`)).toBeUndefined();
      await vi.waitUntil(async () => (await uploads()).length === 0, { timeout: 20_000 });
      await store.close();
    });

    it("keeps a downloaded file while a reader holds it, and lets go of what nobody holds", async () => {
      const store = await open({ cacheBytesMax: 1_500 });
      const put = (byte: number) => store.put(randomUUID(), Buffer.alloc(1_000, byte), { mediaType });
      const held = await store.getFile(await put(1));
      for (const byte of [2, 3]) await store.getFile(await put(byte));
      const fourth = await put(4);
      collectGarbage();
      const newest = await store.getFile(fourth);
      const kept = (await readdir(dirname(held.path))).map((name) => join(dirname(held.path), name));
      expect(kept.sort()).toEqual([held.path, newest.path].sort());
      await store.close();
    });

    it("removes its temporary files when it is closed", async () => {
      const own = async () =>
        (await readdir(tmpdir())).filter((name) => name.startsWith(`headgate-objects-${process.pid}-`));
      const before = await own();
      const store = await open({});
      expect(await own()).toHaveLength(before.length + 1);
      await store.close();
      expect(await own()).toEqual(before);
    });

    it("shows nothing of a writer that is killed, and removes what it left on this machine", async () => {
      const path = fileURLToPath(new URL("endless-writer.ts", import.meta.url));
      const writer = spawn(process.execPath, ["--import", "tsx", path, urlTo(`${bucket}/killed`), "x.bin"], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const ended = once(writer, "exit").then(() => "ended");
      expect(await Promise.race([once(writer.stdout, "data").then(() => "writing"), ended])).toBe("writing");
      const left = async () =>
        (await readdir(tmpdir())).filter((name) => name.startsWith(`headgate-objects-${writer.pid}-`));
      expect(await left()).toHaveLength(1);
      writer.kill("SIGKILL");
      await ended;

      const store = await open({});
      expect(await store.head(`${bucket}/killed/x.bin`)).toBeUndefined();
      expect(await left()).toEqual([]);
      await store.close();
    });

    it("says that credentials were refused", async () => {
      const secret = process.env["AWS_SECRET_ACCESS_KEY"];
      process.env["AWS_SECRET_ACCESS_KEY"] = "wrong";
      const store = await open({});
      try {
        await expect(store.put("x", new Uint8Array(1), { mediaType })).rejects.toEqual(refusal("object_store.denied"));
      } finally {
        process.env["AWS_SECRET_ACCESS_KEY"] = secret;
        await store.close();
      }
    });

    it("says that a bucket is not there", async () => {
      const store = await openObjectStore(urlTo("no-such-bucket"));
      await expect(store.put("x", new Uint8Array(1), { mediaType })).rejects.toEqual(refusal("object_store.not_found"));
      await store.close();
    });
  });
});

describe("An S3 store whose server is away", () => {
  let store: ObjectStore;
  afterAll(() => store.close());

  it("says that it is unavailable, after a few tries", async () => {
    process.env["AWS_ACCESS_KEY_ID"] ??= "any";
    process.env["AWS_SECRET_ACCESS_KEY"] ??= "any";
    const listener = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => listener.once("listening", resolve));
    const { port } = listener.address() as AddressInfo;
    await new Promise((resolve) => listener.close(resolve));
    store = await openObjectStore(`s3://values?endpoint=http://127.0.0.1:${port}&forcePathStyle=true`);
    await expect(store.put("x", new Uint8Array(1), { mediaType: "text/plain" })).rejects.toEqual(
      refusal("object_store.unavailable"),
    );
  });
});
