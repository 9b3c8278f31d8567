// Limits that are dragged in a picture.

import assert from "node:assert/strict";
import { test } from "node:test";
import { limitText, placeOf, roundest, typedAt } from "../../workbench/panels/js/limit_handles.js";

const axes = { left: 100, right: 700, top: 20, bottom: 320, x: [3, 6], y: [0, 1.2] }; // 1 kB to 1 MB
const texts = { label: "goal ≤ {limit}", none: "no limit" };
/** @type {[string, number][]} */
const sizes = [
  ["B", 1],
  ["kB", 1e3],
  ["MB", 1e6],
];
/** @type {import("../../workbench/panels/js/types").PictureLimit} */
const budget = { key: "budget", axis: "x", scale: "size", value: 100_000, unit: 1000, units: sizes, ...texts };
/** @type {import("../../workbench/panels/js/types").PictureLimit} */
const floor = { ...budget, key: "floor", axis: "y", scale: "error", value: 0.9, unit: 0.01, units: [["%", 0.01]] };

test("a limit is dragged to the roundest number near the pointer", () => {
  assert.equal(
    roundest(172.3, (number) => Math.abs(number - 172.3) < 4),
    170,
  );
  assert.equal(
    roundest(84.7, (number) => Math.abs(number - 84.7) < 0.5),
    85,
  );
  assert.equal(
    roundest(0.0123, (number) => Math.abs(number - 0.0123) < 0.0001),
    0.0123,
  );
  assert.equal(typedAt(budget, placeOf(budget, 41.3, axes), axes), 40);
  assert.equal(typedAt(floor, placeOf(floor, 84.9, axes), axes), 85);
});

test("each scale maps its values to places and back", () => {
  for (const [scale, typed] of /** @type {const} */ ([
    ["error", 87.5],
    ["log", 62.5],
    ["higher", 75],
    ["lower", -75],
  ])) {
    const limit = { ...floor, scale };
    const wide = { ...axes, y: [-1, 1] };
    const place = placeOf(limit, typed, wide);
    assert.ok(Math.abs(placeOf(limit, Number(typedAt(limit, place, wide)), wide) - place) <= 6, scale);
  }
});

test("a limit stays inside the axes, and one that excludes nothing is none", () => {
  assert.equal(placeOf(budget, 1e9, axes), axes.right);
  assert.equal(typedAt(budget, 5000, axes), 1000);
  assert.equal(typedAt(floor, 5000, axes), null);
});

test("a limit dragged past the end of an axis is round too", () => {
  const odd = { ...axes, x: [3.4001, 6.4129], y: [0.0458, 1.1938] }; // 2.51 kB to 2.59 MB, 10 to 93.6 %
  assert.equal(typedAt(budget, -50, odd), 2.5);
  assert.equal(typedAt(budget, 5000, odd), 3000);
  assert.equal(typedAt(floor, -50, odd), 94);
});

test("a label says the limit as it would be typed", () => {
  assert.equal(limitText(budget, 40), "goal ≤ 40\u202fkB");
  assert.equal(limitText(budget, 1500), "goal ≤ 1.5\u202fMB");
  assert.equal(limitText(budget, 0.2), "goal ≤ 200\u202fB");
  assert.equal(limitText({ ...floor, units: [["", 1]], unit: 1 }, 3.2), "goal ≤ 3.2");
});
