import assert from "node:assert/strict";
import { test } from "node:test";
import { withRoom } from "../../workbench/panels/js/ticks.js";

const axis = (values, texts) => ({
  type: "log",
  range: [Math.log10(values[0]), Math.log10(values.at(-1))],
  tickvals: values,
  ticktext: texts,
});
const SIZES = axis([1e4, 3e4, 1e5, 3e5, 1e6], ["10 kB", "30 kB", "100 kB", "300 kB", "1 MB"]);

test("a wide axis keeps all labels", () => {
  assert.equal(withRoom(SIZES, 800), SIZES);
});

test("a narrow axis labels the powers of ten and keeps its ticks", () => {
  const { ticktext, tickvals } = withRoom(SIZES, 180);
  assert.deepEqual(ticktext, ["10 kB", "", "100 kB", "", "1 MB"]);
  assert.deepEqual(tickvals, SIZES.tickvals);
  const later = axis([3e4, 1e5, 3e5, 1e6], ["30 kB", "100 kB", "300 kB", "1 MB"]);
  assert.deepEqual(withRoom(later, 140).ticktext, ["", "100 kB", "", "1 MB"]);
});

test("other axes stay as they are", () => {
  for (const other of [undefined, { type: "linear", tickvals: [1], range: [0, 1] }, { type: "log" }]) {
    assert.equal(withRoom(other, 10), other);
  }
});
