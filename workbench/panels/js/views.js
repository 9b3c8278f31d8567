// The row of controls above the content of a tab. Python sends their descriptions; each control sends
// its key and value back.

import { h } from "./dom.js";

export class ViewBar {
  constructor(channel, onTab) {
    this.channel = channel;
    this.onTab = onTab; // called with the key of a tab that shares the button
    this.node = h("div", { className: "view-bar" });
    this.shown = "";
  }

  // Rebuilds the row if it differs, and restores the focus.
  show(controls = []) {
    const description = JSON.stringify(controls);
    if (description === this.shown) return;
    this.shown = description;
    this.view = controls[0]?.value; // the first control selects the view
    const focused = this.node.contains(document.activeElement) ? document.activeElement.dataset.control : null;
    this.node.hidden = !controls.length;
    this.node.replaceChildren(...this.grouped(controls));
    if (focused) [...this.node.querySelectorAll("[data-control]")].find((x) => x.dataset.control === focused)?.focus();
  }

  // Groups consecutive buttons, so that they wrap together.
  grouped(controls) {
    const nodes = [];
    let row = null;
    for (const control of controls) {
      if (control.kind !== "button") row = null;
      else if (!row) nodes.push((row = h("div", { className: "view-choice" })));
      (row ?? { append: (node) => nodes.push(node) }).append(this.make(control));
    }
    return nodes;
  }

  make(control) {
    const { kind, key, label, value, choices } = control;
    const select = (to) => (key === "tab" ? this.onTab(to) : this.channel.act("focus", { key, value: to }));
    if (kind === "text") return h("span", { className: "unit", text: control.text });
    if (kind === "button") return this.button(control, `${key} ${value}`, () => select(value));
    if (kind === "select") {
      const input = h(
        "select",
        { "aria-label": label, "data-control": key, onchange: () => select(choices[input.selectedIndex].value) },
        ...choices.map((choice) => h("option", { text: choice.label })),
      );
      input.selectedIndex = choices.findIndex((choice) => choice.value === value);
      return input;
    }
    const buttons = choices.map((choice) =>
      this.button({ text: choice.label, pressed: choice.value === value }, `${key} ${choice.value}`, () => select(choice.value)),
    );
    return h("div", { className: "view-choice", role: "group", "aria-label": label }, ...buttons);
  }

  button({ text, pressed, disabled }, name, onclick) {
    const state = pressed === undefined ? null : String(pressed);
    const props = { type: "button", className: "quiet small", text, disabled, onclick };
    return h("button", { ...props, "aria-pressed": state, "data-control": name });
  }
}
