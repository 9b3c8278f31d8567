import assert from "node:assert/strict";
import { test } from "node:test";
import { position } from "../../workbench/panels/js/live_layer.js";

const VIEW = { width: 400, height: 300, left: 50, right: 50, top: 20, bottom: 30, x: [4, 6], y: [0, 1] };

for (const [name, x, y, expected] of [
  ["lower left corner", 4, 0, [50, 270]],
  ["upper right corner", 6, 1, [350, 20]],
  ["center", 5, 0.5, [200, 145]],
  ["point outside", 9, -3, [350, 270]],
]) {
  test(`the ${name} of the axes`, () => assert.deepEqual(position(VIEW, x, y), expected));
}
