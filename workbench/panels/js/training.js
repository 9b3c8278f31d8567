// The section in which a person trains: pressed, not slid, because it takes its time.

import { h, setText } from "./dom.js";
import { control, number } from "./field.js";

export class TrainingSection {
  constructor(channel) {
    this.channel = channel;
    this.node = h("details", { className: "training" });
    this.onStart = null; // called when training is asked for
    this.onSweep = null; // called when a row of temperatures is asked for
    this.onAsk = null; // called when the teacher is asked
    this.example = 0;
    this.compressed = false;
  }

  build({ training }) {
    this.words = training;
    const known = Object.entries(this.values ?? {}).filter(([key]) => key in training.values);
    this.values = { ...Object.fromEntries(known), ...training.values }; // what another task has is let go
    const change = (key) => (value) => {
      this.values = { ...this.values, [key]: value };
      this.warn();
      this.arrange();
      if (key === "teacher" || key === "temperature") this.soften();
    };
    const make = (field) => {
      const made = control(field, change(field.key));
      made.show(this.values[field.key]);
      if (field.only_with) this.sometimes.push({ node: made.node, beside: field.only_with });
      return made.node;
    };
    this.sometimes = [];
    this.seconds ??= training.seconds.value;
    const seconds = number(training.seconds, (value) => (this.seconds = value));
    seconds.show(this.seconds);
    this.warning = h("p", { className: "about warning", role: "status" });
    this.button = h("button", { type: "button", className: "primary", onclick: () => this.start() });
    this.node.replaceChildren(
      h("summary", { text: training.title }),
      ...training.front.map(make),
      this.warning,
      training.another ? this.quiet(training.another, () => this.soften(this.example + 1)) : "",
      h("details", {}, h("summary", { text: training.how }), ...training.more.map(make)),
      h("div", { className: "spend" }, seconds.node, this.button),
      training.button_sweep ? this.quiet(training.button_sweep, () => this.sweep(), training.help_sweep) : "",
    );
    this.name();
    this.warn();
    this.arrange();
  }

  quiet(text, onclick, title) {
    return h("button", { type: "button", className: "quiet small", text, title, onclick });
  }

  // Fields that mean nothing beside the present values are out of the way.
  arrange() {
    for (const { node, beside } of this.sometimes) node.hidden = !beside[1].includes(this.values[beside[0]]);
  }

  // What the teacher thinks follows the temperature at once; the newest question is enough.
  soften(example = this.example) {
    if (!this.words.another) return; // there are no classes to ask about
    this.example = example;
    if (this.asking) return;
    this.asking = requestAnimationFrame(() => {
      this.asking = 0;
      const { teacher, temperature } = this.values;
      this.channel.act("soften", { teacher, temperature, example: this.example });
      this.onAsk?.();
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

  // What the button does has two names: there is something to win back, or there is not.
  show(values) {
    this.compressed = values["prune.sparsity"] > 0 || values["quantize.bits"] < 32;
    this.name();
  }

  name() {
    if (this.button) setText(this.button, this.compressed ? this.words.button_back : this.words.button);
  }

  warn() {
    setText(this.warning, this.words.warnings[this.values.teacher] || "");
  }
}
