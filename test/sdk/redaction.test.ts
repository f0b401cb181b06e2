import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Redaction } from "../../shared/sdk/src/step/redaction.ts";

describe("redaction", () => {
  const awkward = ['tr"ou\\badour', 'it\'s`s "all"', "line one\nline two\t", "käse & brot/100%", "plain-word"];

  it.each(awkward)("strikes %j out of text however a log has spelt it", (secret) => {
    const redaction = new Redaction();
    redaction.add(secret);
    const spelt = [
      secret,
      JSON.stringify({ fields: { secret, list: [secret], [secret]: 1 } }),
      JSON.stringify({ message: JSON.stringify({ secret }) }),
      inspect({ secret, list: [secret] }),
      `https://db.example.com/?password=${encodeURIComponent(secret)}`,
      `Authorization: Basic ${Buffer.from(secret).toString("base64")}`,
    ];
    const core = /[a-zäß]{3,}/.exec(secret)?.[0] ?? "";
    for (const text of spelt) {
      const struck = redaction.apply(text);
      expect(struck, text).toContain("[redacted]");
      expect(struck, text).not.toContain(core);
    }
  });

  it("strikes out the longer one of two secrets whole, and leaves other text alone", () => {
    const redaction = new Redaction();
    redaction.add("hunter22");
    redaction.add("hunter22-and-more");
    expect(redaction.apply("a hunter22-and-more b hunter22 c")).toBe("a [redacted] b [redacted] c");
    expect(redaction.values).toEqual(["hunter22", "hunter22-and-more"]);
  });
});
