import assert from "node:assert/strict";
import { test } from "node:test";
import { fill, largest, soften } from "../../workbench/panels/js/softmax.js";

test("probabilities follow softmax(z / T)", () => {
  const [first, second] = soften([2, 0], 2);
  assert.ok(Math.abs(first - Math.E / (Math.E + 1)) < 1e-12);
  assert.ok(Math.abs(first + second - 1) < 1e-12);
});

test("large logits do not overflow", () => assert.deepEqual(soften([2000, 0], 1), [1, 0]));

test("a higher temperature makes the probabilities more equal", () => {
  const at = [1, 4, 16].map((temperature) => soften([5, 1, 0], temperature)[0]);
  assert.ok(at[0] > at[1] && at[1] > at[2] && at[2] > 1 / 3);
});

test("the largest values come first", () => assert.deepEqual(largest([1, 5, 3], 2), [1, 2]));

for (const [text, expected] of [
  ["{t}: {first}", "4: Bag"],
  ["{unknown}", "{unknown}"],
  ["no names", "no names"],
]) {
  test(`"${text}" is filled in`, () => assert.equal(fill(text, { t: "4", first: "Bag" }), expected));
}
