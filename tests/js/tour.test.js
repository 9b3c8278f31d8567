import assert from "node:assert/strict";
import { test } from "node:test";
import { isDone, placeNear, Tour } from "../../workbench/panels/js/tour.js";

const EMPTY = { budget: null, floor: null, redo: false };

for (const [name, step, values, state, expected] of [
  ["a value in its range", { key: "a", low: 0.8 }, { a: 0.8 }, EMPTY, true],
  ["a value below its range", { key: "a", low: 0.8 }, { a: 0.79 }, EMPTY, false],
  ["a value above its range", { key: "a", low: 4, high: 4 }, { a: 8 }, EMPTY, false],
  ["a missing value", { key: "a", low: 0 }, {}, EMPTY, false],
  ["a goal", { goal: true }, {}, { ...EMPTY, budget: 100 }, true],
  ["no goal", { goal: true }, {}, EMPTY, false],
  ["an undone change", { undone: true }, {}, { ...EMPTY, redo: true }, true],
  ["no undone change", { undone: true }, {}, EMPTY, false],
  ["no task", {}, {}, EMPTY, false],
]) {
  test(`a step of the tour with ${name}`, () => assert.equal(isDone(step, values, state), expected));
}

const WINDOW = { width: 400, height: 300 };
const BUBBLE = { width: 100, height: 50 };
const CONTROL = { left: 150, right: 250, top: 100, bottom: 120 };
const BELOW = { left: 0, right: 400, top: 125, bottom: 300 };
const ABOVE = { left: 0, right: 400, top: 0, bottom: 95 };

for (const [name, control, explained, place] of [
  ["below its control", CONTROL, [], { left: 150, top: 130 }],
  ["above a control at the edge of the window", { ...CONTROL, top: 260, bottom: 280 }, [], { left: 150, top: 200 }],
  ["inside the window", { ...CONTROL, left: 350, right: 390 }, [], { left: 292, top: 130 }],
  ["above, where the picture is below", CONTROL, [BELOW], { left: 150, top: 40 }],
  [
    "at the right, where others are above and below",
    { ...CONTROL, top: 70, bottom: 150 },
    [
      { ...ABOVE, bottom: 65 },
      { ...BELOW, top: 155 },
    ],
    { left: 260, top: 70 },
  ],
  [
    "over the picture rather than over the control",
    CONTROL,
    [{ left: 0, right: 400, top: 0, bottom: 300 }],
    {
      left: 150,
      top: 130,
    },
  ],
]) {
  test(`a bubble stands ${name}`, () => assert.deepEqual(placeNear(control, BUBBLE, explained, WINDOW), place));
}

test("a step whose task is done already is done when it opens, but not by an older undo", () => {
  const tour = Object.assign(Object.create(Tour.prototype), {
    steps: [{ key: "a", low: 0.5 }, { undone: true }, { goal: true }, {}],
    completed: new Set(),
    newest: { values: { a: 0.6 }, state: { ...EMPTY, budget: 100, redo: true } },
    showDone() {},
    highlight() {},
    target: () => null,
    root: () => ({ append() {} }),
    bubble: { showPopover() {} },
    channel: { act() {} },
    ...Object.fromEntries(
      ["text", "count", "next", "back"].map((name) => [
        name,
        { setAttribute() {}, addEventListener() {}, getAttribute: () => null },
      ]),
    ),
    texts: { count: "{step} of {steps}" },
  });
  for (const index of tour.steps.keys()) tour.go(index, false);
  assert.deepEqual([...tour.completed], [0, 2]);
});
