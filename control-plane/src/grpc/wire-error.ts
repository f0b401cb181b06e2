const hints = {
  "wire.unknown_enum":
    "the code location speaks a newer protocol, or breaks it; use an SDK of the control plane's version",
  "wire.missing_field": "the code location breaks the protocol: proto/headgate/v1 says what must be set",
  "wire.invalid_text": "the code location breaks the protocol: proto/headgate/v1 says what the field may hold",
  "wire.out_of_range": "the code location breaks the protocol: proto/headgate/v1 says what the field may hold",
  "wire.too_large": "send less: store what is large as a value and name it in metadata",
  "wire.unreadable": "the code location sent bytes that are no message of headgate.v1; check its SDK's version",
} as const;

export type WireErrorCode = keyof typeof hints;

/** Something on the wire that the control plane refuses to read. The message names the field. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly code: WireErrorCode;
  readonly hint: string;

  constructor(code: WireErrorCode, message: string) {
    super(message);
    this.code = code;
    this.hint = hints[code];
  }
}

/** An enum that is unset, or has a value that this side does not know. */
export function unknownEnum(field: string, value: number): WireError {
  const what = value === 0 ? "is not set" : "has a value that this control plane does not know";
  return new WireError("wire.unknown_enum", `${field} ${what}`);
}

export function missingField(field: string): WireError {
  return new WireError("wire.missing_field", `${field} is not set`);
}
