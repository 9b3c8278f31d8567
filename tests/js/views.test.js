import assert from "node:assert/strict";
import { test } from "node:test";
import { consecutive, selectedView } from "../../workbench/panels/js/views.js";

for (const [list, expected] of [
  [[], []],
  [[1], [[1]]],
  [
    [2, 4, 1, 3, 6],
    [[2, 4], [1, 3], [6]],
  ],
]) {
  test(`runs of even and odd numbers in [${list}]`, () =>
    assert.deepEqual(
      consecutive(list, (number) => number % 2 === 0),
      expected,
    ));
}

for (const [controls, view] of [
  [undefined, undefined],
  [[], undefined],
  [[{ kind: "text", text: "a" }], undefined],
  [
    [
      { kind: "buttons", value: false },
      { kind: "select", value: "b" },
    ],
    false,
  ],
]) {
  test(`the view selected by ${JSON.stringify(controls)}`, () => assert.equal(selectedView(controls), view));
}
