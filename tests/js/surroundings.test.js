import assert from "node:assert/strict";
import { test } from "node:test";
import { themeOf } from "../../workbench/panels/js/surroundings.js";

for (const [page, dataset, system, expected] of [
  ["JupyterLab in light colors", { jpThemeLight: "true" }, true, "light"],
  ["JupyterLab in dark colors", { jpThemeLight: "false" }, false, "dark"],
  ["an editor in light colors", { vscodeThemeKind: "vscode-light" }, true, "light"],
  ["an editor in high contrast", { vscodeThemeKind: "vscode-high-contrast" }, false, "dark"],
  ["an editor in high contrast, light", { vscodeThemeKind: "vscode-high-contrast-light" }, true, "light"],
  ["a page on a dark system", {}, true, "dark"],
  ["a page on a light system", {}, false, "light"],
]) {
  test(`the theme of ${page} is ${expected}`, () => assert.equal(themeOf({ dataset }, { matches: system }), expected));
}
