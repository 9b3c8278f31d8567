// Figures in the colors of another theme.

import assert from "node:assert/strict";
import { test } from "node:test";
import { recolored } from "../../workbench/panels/js/theme_colors.js";

const LIGHT = ["#000000", "rgba(28, 31, 38, 0.07)"];
const DARK = ["#ffffff", "rgba(236, 237, 237, 0.08)"];

test("each color of one theme becomes that of the other", () => {
  const data = [
    { name: "a", line: { color: "#000000", width: 2 }, textfont: { shadow: "1px 1px #000000, 2px #123456" } },
  ];
  const margin = { l: 0, r: 0, t: 0, b: 0 };
  const layout = { title: { text: "" }, margin, font: { color: "#000000" }, shapes: [{ fillcolor: LIGHT[1] }] };
  const dark = recolored({ data, layout }, LIGHT, DARK);
  assert.deepEqual(dark.data, [
    { name: "a", line: { color: "#ffffff", width: 2 }, textfont: { shadow: "1px 1px #ffffff, 2px #123456" } },
  ]);
  assert.equal(dark.layout.font?.color, "#ffffff");
  assert.deepEqual(dark.layout.shapes, [{ fillcolor: DARK[1] }]);
  assert.equal(layout.font.color, "#000000");
  assert.equal(recolored(dark, LIGHT, DARK), dark);
});
