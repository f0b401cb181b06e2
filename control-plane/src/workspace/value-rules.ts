/** What a value of workspace.yaml must look like, and the words for it: "it must be ...". */
export interface ValueRule {
  readonly pattern: RegExp;
  readonly expected: string;
}

export const name: ValueRule = {
  pattern: /^[a-z0-9][a-z0-9_-]{0,62}$/,
  expected: "1 to 63 of a to z, 0 to 9, _ and -, beginning with a letter or a digit",
};
export const port: ValueRule = {
  pattern: /^([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$/,
  expected: "a port, 1 to 65535",
};
export const variableName: ValueRule = {
  pattern: /^[A-Za-z_][A-Za-z0-9_]*$/,
  expected: "the name of an environment variable",
};
export const host: ValueRule = {
  pattern: /^[A-Za-z0-9.:_-]+$/,
  expected: "a host name or an IP address, without a port",
};
export const url: ValueRule = { pattern: /^https?:\/\/\S+$/, expected: "a URL that begins with https:// or http://" };
export const notEmpty: ValueRule = { pattern: /\S/, expected: "something" };
export const count: ValueRule = { pattern: /^[1-9]\d{0,5}$/, expected: "a whole number, 1 to 999999" };
export const weight: ValueRule = {
  pattern: /^([1-9]\d{0,3}(\.\d{1,3})?|0\.\d{0,2}[1-9])$/,
  expected: "a number above 0, to 9999, such as 2 or 0.5",
};
export const truth: ValueRule = { pattern: /^(true|false)$/, expected: "true or false" };
export const tagName: ValueRule = {
  pattern: /^[A-Za-z0-9_.:/-]{1,63}$/,
  expected: "the name of a tag: 1 to 63 letters, digits, _ . : / or -",
};
export const tagValue: ValueRule = { pattern: /^[^]{0,255}$/, expected: "the value of a tag, 255 characters at most" };
