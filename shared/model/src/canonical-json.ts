import { ModelError } from "./model-error.ts";

const depthMax = 200;
/** With the `u` flag a surrogate that has its partner is one code point and does not match. */
const loneSurrogate = /\p{Surrogate}/u;

/**
 * The value as JSON text that is the same for equal values (RFC 8785): members sorted by UTF-16 code units, no white
 * space, numbers as ECMAScript prints them. Members that are `undefined` are left out and `toJSON` is honoured, as
 * `JSON.stringify` does.
 *
 * @throws ModelError `invalid_json_value` for what JSON cannot say without loss: NaN and infinities, bigint, functions,
 * symbols, `undefined` in an array or alone, text with lone surrogates, Map and Set, nesting deeper than 200 (cycles).
 */
export function canonicalJson(value: unknown): string {
  return write(value, "", 0);
}

function write(value: unknown, path: string, depth: number): string {
  if (depth > depthMax) throw refused("is nested too deep", path, `nest at most ${depthMax} levels, without cycles`);
  switch (typeof value) {
    case "string":
      return writeString(value, path);
    case "number":
      if (Number.isFinite(value)) return JSON.stringify(value);
      throw refused(`is ${value}, which JSON cannot say`, path, "use null, or a string");
    case "boolean":
      return value ? "true" : "false";
    case "object":
      return value === null ? "null" : writeObject(value, path, depth);
    case "bigint":
      throw refused("is a bigint, which JSON cannot say", path, "write it as a string");
    case "undefined":
    case "function":
    case "symbol":
      throw refused(`is ${typeof value}, which JSON cannot say`, path, "leave it out, or use null");
  }
}

function writeString(text: string, path: string): string {
  if (!loneSurrogate.test(text)) return JSON.stringify(text);
  throw refused("has a lone surrogate", path, "pass the text through cleanText first");
}

function writeObject(value: object, path: string, depth: number): string {
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return write((value.toJSON as () => unknown).call(value), path, depth + 1);
  }
  if (Array.isArray(value)) {
    return `[${Array.from(value, (item, index) => write(item, `${path}[${index}]`, depth + 1)).join(",")}]`;
  }
  // Not `instanceof` or a look at the prototype: values of another realm (a vm context, a worker) are plain as well.
  if (Object.prototype.toString.call(value) !== "[object Object]") {
    const kind = Object.prototype.toString.call(value).slice(8, -1);
    throw refused(`is a ${kind}, which JSON cannot say`, path, "turn it into an object or an array first");
  }
  const members: string[] = [];
  // The default order of sort() is by UTF-16 code units, as the RFC asks.
  for (const name of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[name];
    if (member === undefined) continue;
    const at = path === "" ? name : `${path}.${name}`;
    members.push(`${writeString(name, at)}:${write(member, at, depth + 1)}`);
  }
  return `{${members.join(",")}}`;
}

function refused(what: string, path: string, hint: string): ModelError {
  return new ModelError("invalid_json_value", `the value${path === "" ? "" : ` at ${path}`} ${what}`, hint);
}
