// Writes docs/reference/sdk.md from the docstrings of what the packages for teams export. `npm run generate:reference`
// writes it, `npm run check:generated` fails if it is not what the sources say.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import prettier from "prettier";
import ts from "typescript";

const root = fileURLToPath(new URL("..", import.meta.url));
const target = "docs/reference/sdk.md";
const entries = [
  ["@headgate/sdk", "shared/sdk/src/index.ts"],
  ["@headgate/sdk/serve", "shared/sdk/src/serve.ts"],
  ["@headgate/sdk/testing", "shared/sdk/src/testing.ts"],
  ["@headgate/connections", "shared/connections/src/index.ts"],
];

const config = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile).config;
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
const program = ts.createProgram(
  entries.map(([, file]) => root + file),
  options,
);
const checker = program.getTypeChecker();
const printer = ts.createPrinter({ removeComments: false });

/** One line of a table cell or a paragraph: Markdown as it was written, on one line. */
const oneLine = (text) => text.replaceAll(/\s*\n\s*/g, " ").trim();

function docOf(symbol) {
  const text = ts.displayPartsToString(symbol.getDocumentationComment(checker));
  const tags = symbol.getJsDocTags(checker).map(({ name, text: parts }) => {
    const said = oneLine(ts.displayPartsToString(parts ?? []));
    return name === "throws"
      ? `Throws: ${said}`
      : name === "param"
        ? `\`${said.split(" ", 1)[0]}\`: ${said.replace(/^\S+\s*-?\s*/, "")}`
        : said;
  });
  return [text.trim(), ...tags].filter((part) => part !== "");
}

/** The declaration without a body: what a reader needs to call it, with the comments of its members. */
function signatureOf(symbol) {
  return (symbol.declarations ?? [])
    .filter((declaration, _n, all) => !(ts.isFunctionDeclaration(declaration) && declaration.body && all.length > 1))
    .map((declaration) => {
      const file = declaration.getSourceFile();
      if (ts.isFunctionDeclaration(declaration)) {
        const { typeParameters, parameters, type, name } = declaration;
        const bare = ts.factory.createFunctionDeclaration(
          undefined,
          undefined,
          name,
          typeParameters,
          parameters,
          type,
          undefined,
        );
        return printer.printNode(ts.EmitHint.Unspecified, bare, file);
      }
      if (ts.isVariableDeclaration(declaration)) {
        return `const ${symbol.name}: ${checker.typeToString(checker.getTypeOfSymbol(symbol), declaration, ts.TypeFormatFlags.NoTruncation)};`;
      }
      if (ts.isClassDeclaration(declaration)) {
        const made = checker.getSignaturesOfType(checker.getTypeOfSymbol(symbol), ts.SignatureKind.Construct);
        return made.map((signature) => `// new ${symbol.name}${checker.signatureToString(signature)}`).join("\n");
      }
      return printer.printNode(ts.EmitHint.Unspecified, declaration, file).replace(/^(\/\*\*[^]*?\*\/\s*)?export /, "");
    })
    .join("\n\n");
}

const lines = [
  "# SDK reference",
  "",
  "Every export of the packages that teams write against, from their docstrings. [The tour](../sdk.md) shows them at work. This file is generated: `npm run generate:reference`.",
  "",
];
const undocumented = [];
for (const [name, file] of entries) {
  const module = checker.getSymbolAtLocation(program.getSourceFile(root + file));
  lines.push(`## ${name}`, "");
  const symbols = checker.getExportsOfModule(module).map((symbol) => {
    return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  });
  const isValue = (symbol) => (symbol.flags & ts.SymbolFlags.Value) !== 0;
  const order = (a, b) => Number(isValue(b)) - Number(isValue(a)) || (a.name < b.name ? -1 : 1);
  for (const symbol of [...symbols].sort(order)) {
    const docs = docOf(symbol);
    if (docs.length === 0) undocumented.push(`${name}: ${symbol.name}`);
    lines.push(
      `### ${symbol.name}`,
      "",
      ...docs.flatMap((part) => [part, ""]),
      "```ts",
      signatureOf(symbol),
      "```",
      "",
    );
  }
}
if (undocumented.length > 0) {
  process.stderr.write(`These have no docstring:\n${undocumented.join("\n")}\n`);
  process.exit(1);
}
const text = await prettier.format(lines.join("\n"), {
  ...(await prettier.resolveConfig(root + target)),
  parser: "markdown",
});
if (process.argv.includes("--check")) {
  let written = "";
  try {
    written = readFileSync(root + target, "utf8");
  } catch {
    // Said below.
  }
  if (written !== text) {
    process.stderr.write(`${target} is not what the sources say. Run: npm run generate:reference\n`);
    process.exit(1);
  }
} else writeFileSync(root + target, text);
