import assert from "node:assert/strict";
import { test } from "node:test";
import { setText, tipPosition, uniqueId } from "../../workbench/panels/js/dom.js";

const TIP = { width: 200, height: 50 };

for (const [place, label, expected] of [
  ["below the label", { left: 100, top: 100, bottom: 120 }, { left: 100, top: 126 }],
  ["above it at the lower edge", { left: 100, top: 560, bottom: 580 }, { left: 100, top: 504 }],
  ["inside the right edge", { left: 790, top: 100, bottom: 120 }, { left: 592, top: 126 }],
  ["inside the left edge", { left: -20, top: 100, bottom: 120 }, { left: 8, top: 126 }],
]) {
  test(`an explanation is ${place}`, () => assert.deepEqual(tipPosition(label, TIP, 800, 600), expected));
}

test("ids are unique", () => assert.notEqual(uniqueId(), uniqueId()));

test("an equal text is not set again", () => {
  let writes = 0;
  const node = {
    get textContent() {
      return "a";
    },
    set textContent(_text) {
      writes += 1;
    },
  };
  setText(node, "a");
  assert.equal(writes, 0);
  setText(node, "b");
  assert.equal(writes, 1);
});
