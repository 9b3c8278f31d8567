// Which keys undo and redo, and where they are left to a field.

import assert from "node:assert/strict";
import { test } from "node:test";
import { commits, follow, isFollowing, showCommitted } from "../../workbench/panels/js/committed_fields.js";
import { focusOnPress, keysText, stepOf, takesText } from "../../workbench/panels/js/undo_keys.js";

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

// A field as the page has it, without a browser.
class Field extends EventTarget {
  tagName = "INPUT";
  type = "number";
  validity = /** @type {ValidityState} */ ({ badInput: false });
  /** @type {string | null} */ ariaInvalid = null;
  value = "200";

  /** @param {string} value */
  enter(value) {
    this.value = value;
    this.dispatchEvent(new Event("input"));
  }
}

test("a field that holds no edit leaves undo to the page, and then shows what it selects", () => {
  const field = new Field();
  commits(field);
  assert.ok(!takesText(field));
  field.enter("300");
  assert.ok(takesText(field));
  field.enter("200"); // its own undo
  assert.ok(!takesText(field));
  field.enter("300");
  field.dispatchEvent(new Event("change"));
  assert.ok(!takesText(field));
  assert.ok(!isFollowing(field));
  follow(field);
  assert.ok(isFollowing(field));
  showCommitted(field, "200");
  assert.equal(field.value, "200");
  assert.ok(!takesText(field)); // redo
  field.enter("2");
  assert.ok(!isFollowing(field)); // not overwritten while something is typed
});

test("a field with an answer that is not allowed has its own undo", () => {
  const field = new Field();
  commits(field);
  field.enter("-1");
  field.ariaInvalid = "true";
  field.dispatchEvent(new Event("change"));
  assert.ok(takesText(field));
});

test("an area takes the focus when it is pressed, but not from a control", () => {
  const area = Object.assign(new EventTarget(), { focus: (options) => focused.push(options) });
  const focused = [];
  focusOnPress(area);
  /** Presses an element below the area. */
  const press = (control) => {
    const event = new Event("pointerdown");
    Object.defineProperty(event, "target", { value: { closest: () => control } });
    area.dispatchEvent(event);
  };
  press({});
  assert.equal(focused.length, 0);
  press(null);
  assert.deepEqual(focused, [{ preventScroll: true }]);
});
