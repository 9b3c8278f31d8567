// What the questions of the page Choose ask for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { demandOf } from "../../workbench/panels/js/choose_page.js";

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
