import assert from "node:assert/strict";
import { test } from "node:test";
import { isDone } from "../../workbench/panels/js/tour.js";

const EMPTY = { budget: null, floor: null };

for (const [name, step, values, state, event, expected] of [
  ["a value in its range", { key: "a", low: 0.8 }, { a: 0.8 }, EMPTY, undefined, true],
  ["a value below its range", { key: "a", low: 0.8 }, { a: 0.79 }, EMPTY, undefined, false],
  ["a value above its range", { key: "a", low: 4, high: 4 }, { a: 8 }, EMPTY, undefined, false],
  ["a missing value", { key: "a", low: 0 }, {}, EMPTY, undefined, false],
  ["a goal", { goal: true }, {}, { ...EMPTY, budget: 100 }, undefined, true],
  ["no goal", { goal: true }, {}, EMPTY, undefined, false],
  ["an event", { event: "file" }, {}, EMPTY, "file", true],
  ["no event", { event: "file" }, {}, EMPTY, undefined, false],
]) {
  test(`a step of the tour with ${name}`, () => assert.equal(isDone(step, values, state, event), expected));
}
