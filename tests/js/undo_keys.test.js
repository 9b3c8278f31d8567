// Which keys undo and redo, and where they are left to a field.

import assert from "node:assert/strict";
import { test } from "node:test";
import { keysText, stepOf, takesText } from "../../workbench/panels/js/undo_keys.js";

const PRESSED = { key: "z", ctrlKey: false, metaKey: false, shiftKey: false, altKey: false };

for (const [name, pressed, step] of [
  ["Ctrl+Z", { ctrlKey: true }, "undo"],
  ["Cmd+Z", { metaKey: true }, "undo"],
  ["Ctrl+Shift+Z", { ctrlKey: true, shiftKey: true, key: "Z" }, "redo"],
  ["Cmd+Shift+Z", { metaKey: true, shiftKey: true }, "redo"],
  ["Ctrl+Y", { ctrlKey: true, key: "y" }, "redo"],
  ["Cmd+Y", { metaKey: true, key: "y" }, null],
  ["Z", {}, null],
  ["Ctrl+Alt+Z", { ctrlKey: true, altKey: true }, null],
  ["Ctrl+A", { ctrlKey: true, key: "a" }, null],
])
  test(`${name} asks for ${step}`, () => assert.equal(stepOf({ ...PRESSED, ...pressed }), step));

test("fields for text have an undo of their own", () => {
  assert.ok(takesText({ tagName: "INPUT", type: "number" }));
  assert.ok(takesText({ tagName: "TEXTAREA" }));
  assert.ok(takesText({ tagName: "DIV", isContentEditable: true }));
  assert.ok(!takesText({ tagName: "INPUT", type: "range" }));
  assert.ok(!takesText({ tagName: "BUTTON", type: "button" }));
});

test("keys are written as on the machine", () => {
  assert.equal(keysText("redo", "Ctrl+Shift+Z", "Linux x86_64"), "Ctrl+Shift+Z");
  assert.equal(keysText("redo", "Ctrl+Shift+Z", "MacIntel"), "⇧⌘Z");
  assert.equal(keysText("undo", "Ctrl+Z", "MacIntel"), "⌘Z");
});
