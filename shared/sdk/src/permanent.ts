/** Thrown by compute: another try would end the same way, so there is none. */
export class Permanent extends Error {
  override readonly name = "Permanent";
}
