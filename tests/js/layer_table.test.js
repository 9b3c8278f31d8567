import assert from "node:assert/strict";
import { test } from "node:test";
import { withLayer, withRows } from "../../workbench/panels/js/layer_table.js";

for (const [value, expected] of [
  [0.5, { a: 0.5, b: 0.5, c: 0.1 }],
  [0, { a: 0, b: 0, c: 0.1 }],
  [undefined, { c: 0.1 }],
]) {
  test(`coupled layers get the value ${value}`, () => {
    const current = { a: 0.2, c: 0.1 };
    assert.deepEqual(withRows(current, ["a", "b"], value), expected);
    assert.deepEqual(current, { a: 0.2, c: 0.1 });
  });
}

for (const [current, included, expected] of [
  [[], true, ["a"]],
  [["b"], true, ["b", "a"]],
  [["a", "b"], true, ["b", "a"]],
  [["a", "b"], false, ["b"]],
  [["b"], false, ["b"]],
]) {
  test(`"a" in [${current}]: ${included}`, () => assert.deepEqual(withLayer(current, "a", included), expected));
}
