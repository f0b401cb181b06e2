import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Type-checks files under the repository's own tsconfig.json and returns what is wrong with them, a sentence each.
 *
 * In a type test `// @ts-expect-error <text>` stands above the line that must not compile, and the compiler's message
 * there must contain `<text>`: the message is what a user of the SDK reads, so it is part of what is tested. `tsc` alone
 * checks that there is some error, whichever it is. Any other error is reported as it is.
 *
 * @param files absolute path to text; a path need not exist on disk.
 */
export function typeProblems(files: ReadonlyMap<string, string>): string[] {
  const options = compilerOptions();
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  const laidBare = new Map(
    [...files].map(([path, text]) => [path, text.replaceAll("@ts-expect-error", "@ts_expect_error")]),
  );
  // Else a file in a folder that is not on disk is never looked for.
  const directoryExists = host.directoryExists?.bind(host) ?? (() => true);
  const folders = new Set([...files.keys()].map((path) => dirname(path)));
  host.directoryExists = (path) => folders.has(path) || directoryExists(path);
  host.fileExists = (path) => laidBare.has(path) || fileExists(path);
  host.readFile = (path) => laidBare.get(path) ?? readFile(path);
  host.getSourceFile = (path, ...rest) => {
    const text = laidBare.get(path);
    if (text === undefined) return getSourceFile(path, ...rest);
    return ts.createSourceFile(path, text, rest[0], true);
  };
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files].flatMap(([path, text]) => {
    const sourceFile = program.getSourceFile(path);
    if (sourceFile === undefined) return [`${path}: not read by the compiler`];
    const diagnostics = [...program.getSyntacticDiagnostics(sourceFile), ...program.getSemanticDiagnostics(sourceFile)];
    return fileProblems(path, text, diagnostics.map(lineAndMessage));
  });
}

interface LineMessage {
  readonly line: number;
  readonly message: string;
}

function fileProblems(path: string, text: string, errors: readonly LineMessage[]): string[] {
  const lines = text.split("\n");
  const problems: string[] = [];
  const expectedLines = new Set<number>();
  for (const [index, line] of lines.entries()) {
    const announced = /\/\/ @ts-expect-error\b[:\s]*(.*)$/.exec(line)?.[1]?.trim();
    if (announced === undefined) continue;
    const at = `${path}:${index + 1}`;
    let target = index + 1;
    while (/^\s*(\/\/.*)?$/.test(lines[target] ?? "end")) target += 1;
    expectedLines.add(target);
    const messages = errors.filter((error) => error.line === target).map((error) => error.message);
    if (announced === "") problems.push(`${at}: say after @ts-expect-error what the message must contain`);
    else if (messages.length === 0) problems.push(`${at}: compiles, but "${announced}" was expected`);
    else if (!messages.some((message) => message.includes(announced))) {
      problems.push(`${at}: the message does not contain "${announced}":\n${messages.join("\n")}`);
    }
  }
  for (const { line, message } of errors) {
    if (!expectedLines.has(line)) problems.push(`${path}:${line + 1}: ${message}`);
  }
  return problems;
}

function lineAndMessage(diagnostic: ts.Diagnostic): LineMessage {
  const position = diagnostic.file?.getLineAndCharacterOfPosition(diagnostic.start ?? 0);
  return { line: position?.line ?? 0, message: ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n") };
}

function compilerOptions(): ts.CompilerOptions {
  const file = resolve(root, "tsconfig.json");
  const { config, error } = ts.readConfigFile(file, (path) => ts.sys.readFile(path));
  if (error !== undefined) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, "\n"));
  return ts.parseJsonConfigFileContent(config, ts.sys, dirname(file)).options;
}
