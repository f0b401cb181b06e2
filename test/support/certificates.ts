import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

/** Certificates that a test issues with openssl, in a folder of its own. */
export class Certificates {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "headgate-tls-")));

  path(name: string): string {
    return join(this.folder, name);
  }

  /** `<name>.pem` and `<name>.key`: an authority. */
  authority(name: string): void {
    this.#openssl("req", "-x509", ...this.#newKey(name), "-days", "2", "-out", this.path(`${name}.pem`));
  }

  /** `<name>.pem` and `<name>.key`, signed by an authority. A negative number of days: it has expired. */
  issue(name: string, authority: string, { names = "IP:127.0.0.1", days = 2 } = {}): void {
    const request = this.path(`${name}.csr`);
    const extensions = this.path(`${name}.ext`);
    writeFileSync(extensions, `subjectAltName=${names}`);
    this.#openssl("req", ...this.#newKey(name), "-out", request);
    const signer = ["-CA", this.path(`${authority}.pem`), "-CAkey", this.path(`${authority}.key`), "-CAcreateserial"];
    const validity = ["-days", String(days), "-extfile", extensions];
    this.#openssl("x509", "-req", "-in", request, ...signer, ...validity, "-out", this.path(`${name}.pem`));
  }

  /** Puts other files in the place of these, each in one step. */
  replace(files: Readonly<Record<string, string>>): void {
    for (const [name, other] of Object.entries(files)) {
      copyFileSync(this.path(other), this.path(`${name}.new`));
      renameSync(this.path(`${name}.new`), this.path(name));
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #newKey(name: string): string[] {
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    return [...curve, "-keyout", this.path(`${name}.key`), "-subj", `/CN=${name}`];
  }

  #openssl(...parameters: string[]): void {
    execFileSync("openssl", parameters, { stdio: "ignore" });
  }
}
