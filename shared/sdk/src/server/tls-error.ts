/** Why a location does not serve TLS as it was told to. */
export class TlsError extends Error {
  override readonly name = "TlsError";
  readonly code = "location.tls_unreadable";
  readonly hint: string;

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.hint = hint;
  }
}
