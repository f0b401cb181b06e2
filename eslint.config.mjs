import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

/** Bugs that the compiler lets through. The type-aware rules below stand for the rest of ESLint's recommended set. */
const coreRules = {
  eqeqeq: ["error", "always", { null: "ignore" }],
  "no-async-promise-executor": "error",
  "no-cond-assign": "error",
  "no-constant-binary-expression": "error",
  "no-constant-condition": ["error", { checkLoops: "allExceptWhileTrue" }],
  "no-debugger": "error",
  "no-empty": "error",
  "no-loss-of-precision": "error",
  "no-misleading-character-class": "error",
  "no-self-assign": "error",
  "no-self-compare": "error",
  "no-sparse-arrays": "error",
  "no-template-curly-in-string": "error",
  "no-unmodified-loop-condition": "error",
  // A `for … of` that breaks at once takes the first element, as a cache does to drop its oldest.
  "no-unreachable-loop": ["error", { ignore: ["ForOfStatement"] }],
  "no-unsafe-finally": "error",
  "no-unused-private-class-members": "error",
  "no-useless-escape": "error",
  "no-useless-return": "error",
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-const": "error",
};

/** What a decision must not touch: its clock and its ids are arguments, so that it can be replayed. */
const impure = {
  globals: ["process", "console", "performance", "crypto", "setTimeout", "setInterval", "setImmediate", "fetch"].map(
    (name) => ({
      name,
      message: "Domain code, @headgate/model and @headgate/layout are pure: pass what you need as an argument.",
    }),
  ),
  syntax: [
    {
      selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
      message: "No clock here: take `nowMs` as an argument.",
    },
    { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: "No clock here: take `nowMs`." },
    {
      selector: "MemberExpression[object.name='Math'][property.name='random']",
      message: "No randomness here: take ids and jitter as arguments.",
    },
    { selector: ":matches(AwaitExpression, :function[async=true])", message: "Decisions are synchronous." },
  ],
};

export default defineConfig(
  globalIgnores(["**/dist/", "**/node_modules/", "proto/gen/", "test/arrows/canary/", "coverage/", ".headgate/"]),
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  { files: ["**/*.{ts,tsx,mjs,cjs,js}"], rules: coreRules },
  {
    files: ["**/*.{ts,tsx}"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/consistent-type-exports": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-import-type-side-effects": "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      // A union is switched over case by case, so that a new kind fails here until it is handled.
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        {
          allowDefaultCaseForExhaustiveSwitch: false,
          considerDefaultExhaustiveForUnions: false,
          requireDefaultForNonUnion: false,
        },
      ],
      // Outside a try, `return await` only costs a tick; inside one it decides who catches.
      "@typescript-eslint/return-await": ["error", "error-handling-correctness-only"],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      // An async function may implement an interface that promises a promise.
      "@typescript-eslint/require-await": "off",
    },
  },
  {
    // Smells to look at, not errors.
    files: ["{proto,shared,control-plane,code-locations,web}/**/*.{ts,tsx}"],
    rules: {
      "max-lines": ["warn", { max: 300, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["warn", { max: 70, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ["control-plane/src/domain/**/*.ts", "shared/{model,layout}/src/**/*.ts"],
    rules: {
      "no-restricted-globals": ["error", ...impure.globals],
      "no-restricted-syntax": ["error", ...impure.syntax],
    },
  },
  {
    // What the product has to say goes to its log, with a level and fields; only the command line prints.
    files: ["{proto,shared,control-plane}/**/*.ts"],
    ignores: ["control-plane/src/cli/**"],
    rules: { "no-console": "error" },
  },
  {
    files: ["test/**/*.ts", "code-locations/*/test/**/*.ts"],
    rules: {
      // Answers of a server are read as a user reads them; the assertion is the check.
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/unbound-method": "off",
      "no-restricted-syntax": [
        "error",
        {
          selector: "MemberExpression[object.name=/^(it|test|describe)$/][property.name=/^(only|todo)$/]",
          message: "A test that runs alone hides the others; one that is still to be written is not a test.",
        },
      ],
    },
  },
  {
    // Type tests state types that nobody uses.
    files: ["test/types/**/*.ts"],
    rules: {
      "@typescript-eslint/no-unused-vars": "off",
      "@typescript-eslint/ban-ts-comment": "off",
      "@typescript-eslint/no-floating-promises": "off",
    },
  },
);
