import assert from "node:assert/strict";
import { test } from "node:test";
import { isShown, LEVELS } from "../../workbench/panels/js/levels.js";

test("each level shows its settings and those of the levels before it", () => {
  const shown = LEVELS.map((at) => LEVELS.filter((level) => isShown(level, at)).length);
  assert.deepEqual(shown, [1, 2, 3]);
  assert.ok(!isShown("everything", "start"));
});
