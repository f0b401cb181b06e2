/** What a connection that came to nothing says of TLS, in words, and what mends it. */
export interface TlsFailure {
  readonly message: string;
  readonly hint: string;
}

const entryTls = "tls of its entry in workspace.yaml";
const notTaken =
  `give ${entryTls} a cert and key of the authority that the location trusts: ` +
  "its --tls-ca, or HEADGATE_LOCATION_TLS_CA";

/** Said by OpenSSL and Node; the words stay as they are across the versions that Headgate runs on. */
const failures: readonly (readonly [RegExp, (address: string, said: RegExpExecArray) => TlsFailure])[] = [
  [
    /certificate has expired/,
    (address) => ({
      message: `the certificate of ${address} has expired`,
      hint: "renew the location's certificate; it takes the new files without a restart",
    }),
  ],
  [
    /certificate is not yet valid/,
    (address) => ({
      message: `the certificate of ${address} is not valid yet`,
      hint: "compare the clocks of the two machines, and the certificate's first day",
    }),
  ],
  [
    /does not match certificate's altnames: (.*?)(?: is not in .*?: ?(.*?))?\. Resolution/,
    (address, [, , names = ""]) => ({
      message: `the certificate of ${address} is for other names${names === "" ? "" : `: ${names}`}`,
      hint: "issue one with the host of the entry in workspace.yaml as subjectAltName, or correct host",
    }),
  ],
  [
    /self-signed certificate|unable to (verify|get)|certificate signature failure|invalid CA certificate/,
    (address) => ({
      message: `the certificate of ${address} is of an authority that is not trusted here`,
      hint: `set ca in ${entryTls} to the authority that signed the location's certificate`,
    }),
  ],
  [
    /tlsv?1?3? ?alert|SSL alert number/,
    (address) => ({
      message: `${address} does not take the certificate of this control plane, or asks for one`,
      hint: notTaken,
    }),
  ],
  [
    /wrong version number|packet length too long|unexpected message|ERR_SSL_|EPROTO/,
    (address) => ({
      message: `${address} does not speak TLS`,
      hint: `give the location a certificate (--tls-cert, --tls-key), or remove ${entryTls}`,
    }),
  ],
];

/**
 * @param said what gRPC says of the call
 * @param usesTls whether the location was dialled with TLS
 * @returns undefined: the failure is not about TLS, as far as can be told
 */
export function tlsFailure(address: string, said: string, usesTls: boolean): TlsFailure | undefined {
  if (usesTls) {
    for (const [pattern, failure] of failures) {
      const found = pattern.exec(said);
      if (found !== null) return failure(address, found);
    }
  }
  // The other side hung up before it said a word, which is what a TLS server does when it is not content.
  if (!/Failed to connect/.test(said)) return undefined;
  return usesTls
    ? { message: `${address} ended the TLS connection before it began`, hint: notTaken }
    : {
        message: `${address} ended the connection before it began`,
        hint: `if the location serves TLS, add ${entryTls}: ca, and cert and key if it asks for them`,
      };
}
