import prettier from "eslint-config-prettier";
import vue from "eslint-plugin-vue";
import a11y from "eslint-plugin-vuejs-accessibility";
import ts from "typescript-eslint";

// A feature is used by others through its index.ts only; shared code knows no feature.
const features = [
  "account",
  "dashboard",
  "tickets",
  "approvals",
  "notifications",
  "settings",
  "catalogue",
  "desk",
  "directory",
  "queues",
  "routing",
];

export default ts.config(
  { ignores: ["dist", "src/api/generated", "*.d.ts", "public", "test-results", "playwright-report"] },
  ...ts.configs.recommended,
  ...vue.configs["flat/recommended"],
  ...a11y.configs["flat/recommended"],
  {
    files: ["**/*.vue"],
    languageOptions: { parserOptions: { parser: ts.parser } },
  },
  {
    rules: {
      "no-undef": "off",
      "vue/multi-word-component-names": "off",
      "vue/require-default-prop": "off",
      "vue/no-v-html": "error",
      "vuejs-accessibility/label-has-for": ["error", { required: { some: ["nesting", "id"] } }],
      "vuejs-accessibility/no-static-element-interactions": "off",
      "@typescript-eslint/no-explicit-any": "error",
      // Nothing reaches a prototype: neither by name nor by copying what came from elsewhere key by key.
      "no-proto": "error",
      "no-extend-native": "error",
      "no-restricted-syntax": [
        "error",
        {
          selector: "ForInStatement",
          message: "Goes through prototypes too: take Object.keys or Object.entries.",
        },
        {
          selector: "MemberExpression[property.name=/^(__defineGetter__|__defineSetter__|setPrototypeOf)$/]",
          message: "Nothing here changes a prototype.",
        },
      ],
    },
  },
  {
    files: ["src/shared/**", "src/api/**", "src/stores/**"],
    rules: { "no-restricted-imports": ["error", { patterns: ["@/features/*", "@/app/*"] }] },
  },
  ...features.map((name) => ({
    files: [`src/features/${name}/**`],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            ...features.filter((other) => other !== name).map((other) => `@/features/${other}/*`),
            "@/app/*",
          ],
        },
      ],
    },
  })),
  prettier,
);
