// The training section. Training is slow, so it starts with a button, not with each change.

import { h, setText } from "./dom.js";
import { control, number } from "./field.js";

export class TrainingSection {
  constructor(channel) {
    this.channel = channel;
    this.node = h("details", { className: "training" });
    this.onStart = null; // called when training starts
    this.onSweep = null; // called when the comparison of temperatures starts
    this.onQuery = null; // called when the teacher is queried
    this.example = 0;
    this.compressed = false;
  }

  build({ training }) {
    this.texts = training;
    const valid = Object.entries(this.values ?? {}).filter(([key]) => key in training.values);
    this.values = { ...Object.fromEntries(valid), ...training.values }; // drops fields of another task
    const change = (key) => (value) => {
      this.values = { ...this.values, [key]: value };
      this.warn();
      this.hideUnused();
      if (key === "teacher" || key === "temperature") this.queryTeacher();
    };
    const make = (field) => {
      const made = control(field, change(field.key));
      made.show(this.values[field.key]);
      if (field.visible_if) this.conditional.push({ node: made.node, condition: field.visible_if });
      return made.node;
    };
    this.conditional = [];
    this.seconds ??= training.seconds.value;
    const seconds = number(training.seconds, (value) => (this.seconds = value));
    seconds.show(this.seconds);
    this.warning = h("p", { className: "help warning", role: "status" });
    this.button = h("button", { type: "button", className: "primary", onclick: () => this.start() });
    this.node.replaceChildren(
      h("summary", { text: training.title }),
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

  quiet(text, onclick, title) {
    return h("button", { type: "button", className: "quiet small", text, title, onclick });
  }

  // Hides fields that have no effect with the current values.
  hideUnused() {
    for (const { node, condition: [key, values] } of this.conditional) node.hidden = !values.includes(this.values[key]);
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
