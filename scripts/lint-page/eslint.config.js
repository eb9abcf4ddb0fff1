import js from "@eslint/js";
import globals from "globals";

const DEVICE = "src/clearzoom/server/page/device/";

export default [
  { ignores: ["**/vendor/"] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    languageOptions: { globals: globals.browser },
    rules: {
      eqeqeq: ["error", "always", { null: "ignore" }],
      "no-undef": "error",
      "no-unused-vars": "error",
      "no-var": "error",
      "prefer-const": "error",
    },
  },
  { files: ["**/before-paint.js"], languageOptions: { sourceType: "script" } },
  {
    // What runs in the worker has no document.
    files: [`${DEVICE}**/*.js`],
    ignores: [`${DEVICE}enlarger.js`],
    languageOptions: {
      globals: {
        ...Object.fromEntries(Object.keys(globals.browser).map((name) => [name, "off"])),
        ...globals.worker,
      },
    },
  },
  {
    files: ["scripts/**"],
    languageOptions: { globals: globals.node },
  },
];
