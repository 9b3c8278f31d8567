// @ts-check
// The row of controls above the content of a tab. Python sends their descriptions; each control sends
// its key and value back.

import { h } from "./dom.js";

/** @import { Channel } from "./channel.js" */
/** @import { Control, Value } from "./types" */

export class ViewBar {
  /** @param {Channel} channel */
  constructor(channel) {
    this.channel = channel;
    this.node = h("div", { className: "view-bar" });
    this.shown = "";
    /** @type {Value | undefined} */
    this.view = undefined; // the selected view
  }

  // Rebuilds the row if it differs, and restores the focus.
  /** @param {Control[] | undefined} controls */
  show(controls = []) {
    const description = JSON.stringify(controls);
    if (description === this.shown) return;
    this.shown = description;
    this.view = selectedView(controls);
    const focused = this.controls().find((node) => node === document.activeElement)?.dataset.control;
    this.node.hidden = !controls.length;
    this.node.replaceChildren(...this.grouped(controls));
    const restored = this.controls().find((node) => node.dataset.control === focused);
    if (focused) restored?.focus();
  }

  /** @returns {HTMLElement[]} */
  controls() {
    return [...this.node.querySelectorAll("[data-control]")].filter((node) => node instanceof HTMLElement);
  }

  // Groups consecutive buttons, so that they wrap together.
  /** @param {Control[]} controls */
  grouped(controls) {
    return consecutive(controls, (control) => control.kind === "button").flatMap((group) => {
      const nodes = group.map((control) => this.make(control));
      return group[0].kind === "button" ? [h("div", { className: "view-choice" }, ...nodes)] : nodes;
    });
  }

  /** @type {(control: Control) => HTMLElement} */
  make(control) {
    if (control.kind === "text") return h("span", { className: "unit", text: control.text });
    const { key, value } = control;
    /** @param {any} to */
    const select = (to) => this.channel.act("focus", { key, value: to });
    if (control.kind === "button") return this.button(control, `${key} ${value}`, () => select(value));
    const { label, choices } = control;
    if (control.kind === "select") {
      /** @type {HTMLSelectElement} */
      const input = h(
        "select",
        { "aria-label": label, "data-control": key, onchange: () => select(choices[input.selectedIndex].value) },
        ...choices.map((choice) => h("option", { text: choice.label })),
      );
      input.selectedIndex = choices.findIndex((choice) => choice.value === value);
      return input;
    }
    const buttons = choices.map((choice) =>
      this.button({ text: choice.label, pressed: choice.value === value }, `${key} ${choice.value}`, () =>
        select(choice.value),
      ),
    );
    return h("div", { className: "view-choice", role: "group", "aria-label": label }, ...buttons);
  }

  /** @type {(props: { text: string, pressed?: boolean, disabled?: boolean }, name: string, onclick: () => void) => HTMLElement} */
  button({ text, pressed, disabled }, name, onclick) {
    const state = pressed === undefined ? null : String(pressed);
    const props = { type: "button", className: "quiet small", text, disabled, onclick };
    return h("button", { ...props, "aria-pressed": state, "data-control": name });
  }
}

// The first control selects the view.
/** @param {Control[] | undefined} controls */
export function selectedView(controls) {
  const first = controls?.[0];
  return first && "value" in first ? first.value : undefined;
}

// Splits a list into runs of elements for which `test` has the same result.
/**
 * @template T
 * @param {T[]} list
 * @param {(element: T) => boolean} test
 */
export function consecutive(list, test) {
  /** @type {T[][]} */
  const runs = [];
  for (const element of list) {
    const last = runs.at(-1);
    if (last && test(last[0]) === test(element)) last.push(element);
    else runs.push([element]);
  }
  return runs;
}
