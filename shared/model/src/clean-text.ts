// With the `u` flag a surrogate that has its partner is one code point, so only lone ones match.
const unclean = /\0|\p{Surrogate}/u;
const everyUnclean = new RegExp(unclean, "gu");

/**
 * The text without NUL and without lone surrogates: neither can be stored by Postgres, and one of them in one value
 * would fail the batch it rides in. Clean text, nearly all there is, is returned as it came.
 */
export function cleanText(text: string): string {
  return unclean.test(text) ? text.replace(everyUnclean, "") : text;
}
