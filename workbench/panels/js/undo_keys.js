// @ts-check
// The keys of undo and redo: Ctrl+Z and Ctrl+Shift+Z or Ctrl+Y, with the command key on macOS.

import { follow, isCommitted } from "./committed_fields.js";

/** @typedef {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">} Pressed */

const TYPES_WITHOUT_TEXT = new Set(["range", "checkbox", "radio", "button", "submit", "file", "color"]);

// The step that keys ask for, or null.
/** @type {(pressed: Pressed) => "undo" | "redo" | null} */
export function stepOf({ key, ctrlKey, metaKey, shiftKey, altKey }) {
  if (altKey || ctrlKey === metaKey) return null;
  const letter = key.toLowerCase();
  if (letter === "z") return shiftKey ? "redo" : "undo";
  return letter === "y" && ctrlKey && !shiftKey ? "redo" : null;
}

// Whether text is typed into an element, which has an undo of its own.
/** @type {(element: { tagName: string, type?: string, isContentEditable?: boolean }) => boolean} */
export function takesText(element) {
  const { tagName, type = "", isContentEditable = false } = element;
  if (tagName === "INPUT") return !TYPES_WITHOUT_TEXT.has(type) && !isCommitted(element);
  return tagName === "TEXTAREA" || isContentEditable;
}

// What is said of the keys of a step on this machine; `keys` is for those with a control key.
/** @type {(step: "undo" | "redo", keys: string, platform?: string) => string} */
export function keysText(step, keys, platform = navigator.platform) {
  if (!/^mac/i.test(platform)) return keys;
  return step === "redo" ? "⇧⌘Z" : "⌘Z";
}

// Calls `step` when the keys are pressed inside `area`; returns a function that ends it. A dialog is left alone.
/** @type {(area: Document | HTMLElement, step: (name: "undo" | "redo") => void) => () => void} */
export function onUndoKeys(area, step) {
  /** @param {Event} event */
  const onKey = (event) => {
    const name = stepOf(/** @type {KeyboardEvent} */ (event));
    const { target } = event;
    if (!name || !(target instanceof HTMLElement) || takesText(/** @type {HTMLInputElement} */ (target))) return;
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    event.preventDefault(); // a browser would undo in a field that was left
    event.stopPropagation();
    follow(target);
    step(name);
  };
  area.addEventListener("keydown", onKey);
  return () => area.removeEventListener("keydown", onKey);
}

const CONTROLS = "a, button, input, label, select, summary, textarea, [contenteditable]";

// Gives an area of a notebook the focus when it is pressed where no control is; otherwise, the cell around it
// would take the focus and get the keys. Shortcuts of JupyterLab leave an element with a tab index alone: see dom.js.
/** @param {HTMLElement} area */
export function focusOnPress(area) {
  area.addEventListener("pointerdown", ({ target }) => {
    if (/** @type {Element} */ (target).closest(CONTROLS)) return;
    area.focus({ preventScroll: true });
  });
}
