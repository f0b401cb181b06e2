import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { experimental } from "@grpc/grpc-js";
import type { ServerCredentials } from "@grpc/grpc-js";
import { TlsError } from "./tls-error.ts";
import type { TlsFiles } from "./tls-files.ts";

interface Material {
  readonly certificate: Buffer;
  readonly privateKey: Buffer;
  readonly caCertificate: Buffer | undefined;
}

type IdentityListener = Parameters<experimental.CertificateProvider["addIdentityCertificateListener"]>[0];
type CaListener = Parameters<experimental.CertificateProvider["addCaCertificateListener"]>[0];

/** Three small files: looking is cheaper than knowing what a file system tells of a link that was put elsewhere. */
const lookEveryMs = 2_000;

/**
 * The TLS files of a location, read again when they change, so that a renewed certificate needs no restart. Connections
 * that are open stay. Files that do not fit together, as halfway through a renewal, change nothing: what was read before
 * goes on, and a line on stderr says so.
 */
export class WatchedCertificates implements experimental.CertificateProvider {
  readonly #files: TlsFiles;
  readonly #identityListeners = new Set<IdentityListener>();
  readonly #caListeners = new Set<CaListener>();
  #material: Material;
  #timer: NodeJS.Timeout | undefined;
  #saidLast = "";

  /** @throws TlsError if the files cannot be used now */
  constructor(files: TlsFiles) {
    this.#files = files;
    try {
      this.#material = read(files);
    } catch (error) {
      const hint = "They are PEM: a certificate, its key, and with a ca the authority of those who may call.";
      throw new TlsError(`The TLS files of this location cannot be used: ${wordsOf(error)}`, hint, { cause: error });
    }
  }

  /** What a server is bound with. With a `ca`, callers need a certificate of it. */
  credentials(): ServerCredentials {
    const asks = this.#files.ca !== undefined;
    return experimental.createCertificateProviderServerCredentials(this, asks ? this : null, asks);
  }

  // The server hears of the first ones once it has added its own listener, which is after this returns.
  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.add(listener);
    this.#watch();
    process.nextTick(listener, this.#material);
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.delete(listener);
    this.#unwatch();
  }

  addCaCertificateListener(listener: CaListener): void {
    this.#caListeners.add(listener);
    this.#watch();
    process.nextTick(listener, caOf(this.#material));
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#caListeners.delete(listener);
    this.#unwatch();
  }

  #watch(): void {
    this.#timer ??= setInterval(() => this.#look(), lookEveryMs).unref();
  }

  #unwatch(): void {
    if (this.#identityListeners.size + this.#caListeners.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    let material: Material;
    try {
      material = read(this.#files);
    } catch (error) {
      const words = wordsOf(error);
      if (words !== this.#saidLast) {
        process.stderr.write(`The new TLS files cannot be used, the ones of before stay: ${words}\n`);
      }
      this.#saidLast = words;
      return;
    }
    this.#saidLast = "";
    if (isSame(material, this.#material)) return;
    this.#material = material;
    for (const listener of this.#identityListeners) listener(material);
    for (const listener of this.#caListeners) listener(caOf(material));
  }
}

function read({ cert, key, ca }: TlsFiles): Material {
  const [certificate, privateKey] = [readFileSync(cert), readFileSync(key)];
  const caCertificate = ca === undefined ? undefined : readFileSync(ca);
  // Refuses what is no PEM, and a key of another certificate.
  createSecureContext({ cert: certificate, key: privateKey, ...(caCertificate && { ca: caCertificate }) });
  return { certificate, privateKey, caCertificate };
}

function caOf({ caCertificate }: Material) {
  return caCertificate === undefined ? null : { caCertificate };
}

function isSame(a: Material, b: Material): boolean {
  const texts = ({ certificate, privateKey, caCertificate }: Material) =>
    [certificate, privateKey, caCertificate ?? ""].map(String).join("\n");
  return texts(a) === texts(b);
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
