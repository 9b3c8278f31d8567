// The row of controls above a tab's content: what is looked at, and in which way. Python says which
// there are and what they say; each sends its key and value back.

import { h } from "./dom.js";

export class ViewBar {
  constructor(channel, onTab) {
    this.channel = channel;
    this.onTab = onTab; // called with the key of another tab of the same place
    this.node = h("div", { className: "view-bar" });
    this.shown = "";
  }

  // Builds the row anew where it differs; the control that had the focus keeps it.
  show(controls = []) {
    const wanted = JSON.stringify(controls);
    if (wanted === this.shown) return;
    this.shown = wanted;
    this.view = controls[0]?.value; // the first control says which view it is
    const held = this.node.contains(document.activeElement) ? document.activeElement.dataset.control : null;
    this.node.hidden = !controls.length;
    this.node.replaceChildren(...this.grouped(controls));
    if (held) [...this.node.querySelectorAll("[data-control]")].find((one) => one.dataset.control === held)?.focus();
  }

  // Buttons that follow one another stand together, and wrap together.
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
    const look = (chosen) => (key === "tab" ? this.onTab(chosen) : this.channel.act("look", { key, value: chosen }));
    if (kind === "text") return h("span", { className: "unit", text: control.text });
    if (kind === "button") return this.button(control, `${key} ${value}`, () => look(value));
    if (kind === "select") {
      const input = h(
        "select",
        { "aria-label": label, "data-control": key, onchange: () => look(choices[input.selectedIndex].value) },
        ...choices.map((choice) => h("option", { text: choice.label })),
      );
      input.selectedIndex = choices.findIndex((choice) => choice.value === value);
      return input;
    }
    const buttons = choices.map((choice) =>
      this.button({ text: choice.label, pressed: choice.value === value }, `${key} ${choice.value}`, () => look(choice.value)),
    );
    return h("div", { className: "view-choice", role: "group", "aria-label": label }, ...buttons);
  }

  button({ text, pressed, disabled }, name, onclick) {
    const state = pressed === undefined ? null : String(pressed);
    const props = { type: "button", className: "quiet small", text, disabled, onclick };
    return h("button", { ...props, "aria-pressed": state, "data-control": name });
  }
}
