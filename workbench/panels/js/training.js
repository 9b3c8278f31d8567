// @ts-check
// The training section. Training is slow, so it starts with a button, not with each change.

import { h, setText } from "./dom.js";
import { applies, control, number } from "./field.js";

/** @import { Channel } from "./channel.js" */
/** @import { Field, Page, TrainingTexts, Value, Values } from "./types" */

export class TrainingSection {
  /** @type {TrainingTexts} */ texts;
  /** @type {Values} */ values;
  /** @type {{ node: HTMLElement, field: Field }[]} */ controls;
  /** @type {number | undefined} */ seconds;
  /** @type {HTMLElement} */ warning;
  /** @type {HTMLButtonElement | undefined} */ button;
  /** @type {(() => void) | undefined} */ onStart; // called when training starts
  /** @type {(() => void) | undefined} */ onSweep; // called when the comparison of temperatures starts
  /** @type {(() => void) | undefined} */ onQuery; // called when the teacher is queried
  queryFrame = 0;

  /** @param {Channel} channel */
  constructor(channel) {
    this.channel = channel;
    this.node = h("section", { className: "training" });
    this.example = 0;
    this.compressed = false;
  }

  /** @param {Page} page */
  build({ training }) {
    this.texts = training;
    this.values = { ...training.values };
    /** @type {(key: string, value: Value) => void} */
    const change = (key, value) => {
      this.values = { ...this.values, [key]: value };
      this.warn();
      this.hideUnused();
      if (key === "teacher" || key === "temperature") this.queryTeacher();
    };
    /** @param {Field} field */
    const make = (field) => {
      const made = control(field, (value) => change(field.key, value));
      made.show(this.values[field.key]);
      this.controls.push({ node: made.node, field });
      return made.node;
    };
    this.controls = [];
    this.seconds ??= training.seconds.value;
    const seconds = number(training.seconds, (value) => {
      this.seconds = value;
    });
    seconds.show(this.seconds);
    this.warning = h("p", { className: "help warning", role: "status" });
    this.button = h("button", { type: "button", className: "primary", onclick: () => this.start() });
    this.node.replaceChildren(
      h("h2", { text: training.title }),
      ...training.primary.map(make),
      this.warning,
      training.next_example ? this.quiet(training.next_example, () => this.queryTeacher(this.example + 1)) : "",
      h("details", {}, h("summary", { text: training.details }), ...training.more.map(make)),
      h("div", { className: "start" }, seconds.node, this.button),
      training.sweep ? this.quiet(training.sweep, () => this.sweep(), training.sweep_help) : "",
    );
    this.setButtonText();
    this.warn();
    this.hideUnused();
  }

  /** @type {(text: string, onclick: () => void, title?: string) => HTMLElement} */
  quiet(text, onclick, title) {
    return h("button", { type: "button", className: "quiet small", text, title, onclick });
  }

  // Hides fields that have no effect with the current values.
  hideUnused() {
    for (const { field, node } of this.controls) node.hidden = !applies(field, this.values);
  }

  // Requests the teacher's prediction; at most once per frame, for the newest values.
  queryTeacher(example = this.example) {
    if (!this.texts.next_example) return; // not a classification task
    this.example = example;
    if (this.queryFrame) return;
    this.queryFrame = requestAnimationFrame(() => {
      this.queryFrame = 0;
      const { teacher, temperature } = this.values;
      this.channel.act("query_teacher", { teacher, temperature, example: this.example });
      this.onQuery?.();
    });
  }

  start() {
    this.channel.act("train", { values: this.values, seconds: this.seconds });
    this.onStart?.();
  }

  sweep() {
    this.channel.act("sweep", { values: this.values, seconds: this.seconds });
    this.onSweep?.();
  }

  // The button says "train" or "fine-tune", depending on whether the model is compressed.
  /** @param {Values} values */
  show(values) {
    this.compressed = values["prune.sparsity"] > 0 || values["quantize.bits"] < 32;
    this.setButtonText();
  }

  setButtonText() {
    if (this.button) setText(this.button, this.compressed ? this.texts.fine_tune : this.texts.train);
  }

  warn() {
    setText(this.warning, this.texts.warnings[this.values.teacher] || "");
  }
}
