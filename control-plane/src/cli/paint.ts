export type Color = "red" | "green" | "yellow" | "blue" | "dim" | "bold";

const codes: Record<Color, readonly [number, number]> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  dim: [2, 22],
  bold: [1, 22],
};

export type Paint = (color: Color | undefined, text: string) => string;

export function painter(colors: boolean): Paint {
  return (color, text) => {
    if (!colors || color === undefined) return text;
    const [on, off] = codes[color];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  };
}

/** What catches the eye in a run, a step, a version, a check result or a location. */
export function colorOf(state: string): Color | undefined {
  switch (state) {
    case "succeeded":
    case "passed":
    case "open":
    case "healthy":
    case "unchecked":
      return "green";
    case "failed":
    case "errored":
    case "computeFailed":
    case "refused":
    case "unreachable":
    case "crashed":
    case "timedOut":
    case "lost":
      return "red";
    case "blocked":
    case "pending":
    case "waived":
    case "warned":
    case "canceled":
    case "canceling":
    case "skipped":
    case "unknown":
    case "retrying":
      return "yellow";
    case "started":
    case "leased":
    case "materializing":
    case "loading":
      return "blue";
    case "neverMaterialized":
    case "waiting":
    case "queued":
      return "dim";
    default:
      return undefined;
  }
}
