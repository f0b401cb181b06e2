import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeSegment, openObjectStore } from "@headgate/connections";
import { describeObjectStore, refusal } from "./object-store-contract.ts";

const folders: string[] = [];
async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "headgate folder-store [1]*?-"));
  folders.push(folder);
  return folder;
}
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

const urlOf = (folder: string) => pathToFileURL(folder).href;

let shared: string;
beforeAll(async () => {
  shared = await newFolder();
});

describeObjectStore("An object store in a folder", {
  open: () => openObjectStore(urlOf(shared)),
  corrupt: async (object, content) => {
    const path = join(shared, object.place);
    await chmod(path, 0o644);
    await writeFile(path, content);
  },
  memoryBytesMax: 40 * 2 ** 20,
});

describe("A folder store", () => {
  it("notices damage to a file that it verified before", async () => {
    const folder = await newFolder();
    const store = await openObjectStore(urlOf(folder));
    const stored = await store.putFile("a/b.txt", (path) => writeFile(path, "intact"), { mediaType: "text/plain" });
    const { path } = await store.getFile(stored);
    await chmod(path, 0o644);
    await writeFile(path, "damage");
    await expect(store.getFile(stored)).rejects.toEqual(refusal("object_store.digest_mismatch"));
  });

  it("shows nothing of a writer that is killed in the middle, and the next writer succeeds", async () => {
    const folder = await newFolder();
    const writer = spawn(
      process.execPath,
      ["--import", "tsx", fileURLToPath(new URL("endless-writer.ts", import.meta.url)), urlOf(folder), "a/b.txt"],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const ended = once(writer, "exit").then(() => "ended");
    expect(await Promise.race([once(writer.stdout, "data").then(() => "writing"), ended])).toBe("writing");
    expect(await readdir(join(folder, ".scratch"))).toHaveLength(1);
    writer.kill("SIGKILL");
    await ended;

    const store = await openObjectStore(urlOf(folder));
    expect(await store.head("a/b.txt")).toBeUndefined();
    const stored = await store.put("a/b.txt", new Uint8Array([1]), { mediaType: "text/plain" });
    expect(await store.get(stored, { sizeBytesMax: 1 })).toHaveLength(1);
  });

  it("removes what killed writers left a day ago, and nothing younger", async () => {
    const folder = await newFolder();
    await openObjectStore(urlOf(folder));
    const old = join(folder, ".scratch", "old");
    await writeFile(old, "left");
    await writeFile(join(folder, ".scratch", "young"), "in use");
    const twoDaysAgo = new Date(Date.now() - 2 * 24 * 60 * 60 * 1000);
    await utimes(old, twoDaysAgo, twoDaysAgo);
    await openObjectStore(urlOf(folder));
    expect(await readdir(join(folder, ".scratch"))).toEqual(["young"]);
  });

  it("leaves no scratch file behind, whether a write succeeds or not", async () => {
    const folder = await newFolder();
    const store = await openObjectStore(urlOf(folder));
    await store.put("a.txt", new Uint8Array([1]), { mediaType: "text/plain" });
    await expect(store.put("a.txt", new Uint8Array([2]), { mediaType: "text/plain" })).rejects.toBeDefined();
    await store.putFile("b.txt", (path) => writeFile(path, "b"), { mediaType: "text/plain" });
    expect(await readdir(join(folder, ".scratch"))).toEqual([]);
  });

  it("says so when the folder cannot be used", async () => {
    const folder = await newFolder();
    await writeFile(join(folder, "file"), "");
    await expect(openObjectStore(urlOf(join(folder, "file")))).rejects.toMatchObject({ name: "ConnectionError" });
  });
});

describe("An object store's URL", () => {
  it.each([
    ["objects", "it is no URL"],
    ["ftp://host/folder", "its scheme is ftp"],
    ["file://host/folder", "a folder is file:///"],
    ["s3:///prefix", "names no bucket"],
    ["s3://bucket?endpoint=localhost", "its endpoint is not http"],
    ["s3://bucket?regoin=eu", "unknown parameter regoin"],
    ["s3://bucket?forcePathStyle=yes", "forcePathStyle is true or false"],
  ])("%s is refused: %s", async (url, reason) => {
    await expect(openObjectStore(url)).rejects.toEqual(refusal("object_store.url_invalid"));
    await expect(openObjectStore(url)).rejects.toThrow(reason);
  });

  it("with credentials in it is refused, and they are not repeated", async () => {
    const error = await openObjectStore("s3://key:s3cr3t@bucket/").catch((caught: unknown) => caught);
    expect(error).toEqual(refusal("object_store.url_invalid"));
    expect((error as Error).message).not.toContain("s3cr3t");
  });
});

describe("A path segment", () => {
  it("is safe whatever the text is, and differs for different texts", () => {
    const texts = [
      "",
      ".",
      "..",
      "a",
      "A",
      "a/b",
      "a~2fb",
      "a\\b",
      ".hidden",
      "\u00e9",
      "e\u0301",
      "x".repeat(200),
      "x".repeat(201),
    ];
    const segments = texts.map(encodeSegment);
    expect(new Set(segments).size).toBe(texts.length);
    for (const segment of segments) expect(segment).toMatch(/^[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,159}$/);
  });
});
