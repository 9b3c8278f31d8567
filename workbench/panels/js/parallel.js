// @ts-check
// The settings of a parallel training run, and the button that starts it.

import { h, setText } from "./dom.js";
import { control } from "./field.js";
import { acts } from "./training.js";

/** @import { Channel } from "./channel.js" */
/** @import { LiveParallel, Page, TrainingField, Value, Values } from "./types" */

export class ParallelSection {
  /** @type {Values} */ values = {};
  /** @type {{ node: HTMLElement, field: TrainingField }[]} */ controls = [];
  /** @type {(() => void) | undefined} */ onStart; // called when a run starts

  /** @param {Channel} channel */
  constructor(channel) {
    this.channel = channel;
    this.button = h("button", { type: "button", className: "primary", onclick: () => this.start() });
    this.node = h("div", { className: "training" });
  }

  /** @param {Page} page */
  build({ parallel }) {
    this.values = { ...parallel.values, ...this.values }; // a new model keeps what was chosen
    this.controls = [];
    const groups = parallel.groups.map(({ title, fields }) =>
      h("details", {}, h("summary", { text: title }), ...fields.map((field) => this.make(field))),
    );
    setText(this.button, parallel.button);
    this.node.replaceChildren(
      h("h2", { text: parallel.title }),
      h("p", { className: "help", text: parallel.help }),
      ...parallel.main.map((field) => this.make(field)),
      this.button,
      ...groups,
    );
    this.update();
  }

  /** @param {TrainingField} field */
  make(field) {
    const made = control(field, (value) => this.change(field.key, value));
    made.show(this.values[field.key]);
    this.controls.push({ node: made.node, field });
    return made.node;
  }

  /** @type {(key: string, value: Value) => void} */
  change(key, value) {
    this.values = { ...this.values, [key]: value };
    this.update();
  }

  update() {
    for (const { field, node } of this.controls) node.hidden = !acts(field, this.values);
  }

  start() {
    this.channel.act("train_in_parallel", { values: this.values });
    this.onStart?.();
  }
}

// The figures and sentences of the last run.
export class ParallelCard {
  constructor() {
    this.facts = h("dl", { className: "facts" });
    this.notes = h("ul", { className: "notes" });
    this.node = h("section", { className: "card panel parallel-card", hidden: true }, this.facts, this.notes);
    this.description = ""; // of what is shown
  }

  /** @param {Page} page */
  build({ parallel }) {
    this.node.setAttribute("aria-label", parallel.title);
  }

  /** @param {LiveParallel} live */
  show(live) {
    const description = JSON.stringify(live);
    if (description === this.description) return; // nothing that is read aloud is replaced
    this.description = description;
    this.node.hidden = !live.facts.length;
    this.facts.replaceChildren(
      ...live.facts.map(({ value, label }) => h("div", {}, h("dt", { text: label }), h("dd", { text: value }))),
    );
    this.notes.replaceChildren(...live.notes.map((text) => h("li", { text })));
  }
}
