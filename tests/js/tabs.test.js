import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsOf } from "../../workbench/panels/js/tabs.js";

for (const [width, columns] of [
  [0, 2],
  [311, 2],
  [312, 3],
  [5000, 12],
]) {
  test(`${columns} examples fit into ${width} px`, () => assert.equal(columnsOf(width), columns));
}
