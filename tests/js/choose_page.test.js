// What the questions of the page Choose ask for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { demandOf, droppedLimit } from "../../workbench/panels/js/choose_page.js";

test("numbers are sent in the units of Python, and an empty answer is no limit", () => {
  const size = { key: "max_bytes", scale: 1000 };
  const accuracy = { key: "min_accuracy", scale: 0.01 };
  assert.deepEqual(
    demandOf([
      [size, 20],
      [accuracy, null],
    ]),
    { max_bytes: 20_000, min_accuracy: null },
  );
  assert.equal(demandOf([[accuracy, 90]]).min_accuracy, 0.9);
});

test("a limit that was dragged is read from its shape", () => {
  const shapes = [{}, { name: "max_bytes" }, {}, { name: "min_accuracy" }];
  assert.deepEqual(droppedLimit({ "shapes[1].x0": 12_000.4, "shapes[1].y0": 0 }, shapes), {
    key: "max_bytes",
    value: 12_000,
  });
  const accuracy = droppedLimit({ "shapes[3].x0": 0.1, "shapes[3].y1": 1 }, shapes);
  assert.deepEqual(accuracy, { key: "min_accuracy", value: 0.9 });
  assert.equal(droppedLimit({ "xaxis.range": [1, 2], "shapes[0].x0": 3 }, shapes), null);
  assert.equal(droppedLimit({ "shapes[1].y0": 0.5 }, shapes), null);
});
