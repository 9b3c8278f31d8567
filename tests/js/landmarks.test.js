// Names of landmarks in several displays.

import assert from "node:assert/strict";
import { test } from "node:test";
import { freeNumber, numbered } from "../../workbench/panels/js/landmarks.js";

test("each display has a number of its own, and only the first has plain names", () => {
  assert.deepEqual([freeNumber([]), freeNumber([1, 3]), freeNumber([2])], [1, 2, 1]);
  assert.equal(numbered("Pages", 1), "Pages");
  assert.equal(numbered("Pages", 2), "Pages (2)");
  assert.equal(numbered("Pages (2)", 2), "Pages (2)");
});
