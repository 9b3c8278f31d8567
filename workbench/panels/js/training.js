// @ts-check
// The training section: what training is for, its settings, and the button that starts it.

import { h, setText } from "./dom.js";
import { control, number, segments } from "./field.js";

/** @import { Channel } from "./channel.js" */
/** @import { MadeControl } from "./field.js" */
/** @import { Aim, Field, LiveTraining, Page, TrainingField, TrainingTexts, Value, Values } from "./types" */

export class TrainingSection {
  /** @type {TrainingTexts} */ texts;
  /** @type {Values} */ values;
  /** @type {{ node: HTMLElement, field: TrainingField, show: (value: any) => void }[]} */ controls;
  /** @type {HTMLDetailsElement[]} */ groups;
  /** @type {Record<string, number> | undefined} */ amounts; // seconds and steps
  /** @type {Record<string, MadeControl>} */ lengths = {};
  limit = ""; // which of them limits training
  /** @type {LiveTraining | undefined} */ live; // what Python says about the current recipe
  /** @type {(() => void) | undefined} */ onStart; // called when training starts
  /** @type {(() => void) | undefined} */ onSweep; // called when the comparison of temperatures starts
  /** @type {(() => void) | undefined} */ onQuery; // called when the teacher is queried
  queryFrame = 0;
  studentLabels = 1; // the share of labels of the selected student
  /** @type {Aim} */ aim = "fine_tune";

  /** @param {Channel} channel */
  constructor(channel) {
    this.channel = channel;
    this.node = h("div", { className: "training" });
    this.network = h("p", { className: "help" });
    this.aimHelp = h("p", { className: "help" });
    this.warning = h("p", { className: "help warning", role: "status" });
    this.button = h("button", { type: "button", className: "primary", onclick: () => this.start() });
    this.sweepButton = h("button", { type: "button", className: "quiet", onclick: () => this.sweep() });
  }

  /** @param {Page} page */
  build({ training }) {
    const opened = this.groups?.map((group) => group.open);
    this.texts = training;
    this.values = { ...training.values };
    this.studentLabels = training.student_labels;
    this.aim = aimOf(this.values);
    this.controls = [];
    const aim = segments(training.aim, (value) => this.choose(value));
    aim.show(this.aim);
    const length = segments(training.length, (value) => {
      this.limit = value;
      this.update();
    });
    this.limit ||= training.limit; // a new model keeps what was chosen
    length.show(this.limit);
    this.amounts ??= mapped(training.amounts, ({ value }) => value);
    this.lengths = mapped(training.amounts, (field) => this.makeAmount(field));
    this.groups = training.groups.map(({ title, fields }) =>
      h("details", {}, h("summary", { text: title }), ...fields.map((field) => this.make(field))),
    );
    for (const [index, group] of this.groups.entries()) group.open = opened?.[index] ?? false;
    this.sweepButton.title = training.sweep_help;
    this.node.replaceChildren(
      h("h2", { text: training.title }),
      this.network,
      aim.node,
      this.aimHelp,
      ...training.main.map((field) => this.make(field)),
      this.warning,
      length.node,
      ...Object.values(this.lengths).map(({ node }) => node),
      this.button,
      this.sweepButton,
      ...this.groups,
    );
    this.update();
  }

  /** @param {TrainingField} field */
  make(field) {
    const made = control(field, (value) => this.change(field.key, value));
    made.show(this.values[field.key]);
    this.controls.push({ ...made, field });
    return made.node;
  }

  /** @param {Field & { value: number }} field */
  makeAmount(field) {
    const made = number(field, (value) => {
      this.amounts = { ...this.amounts, [field.key]: value };
      this.update();
    });
    made.show(this.amounts?.[field.key] ?? field.value);
    return made;
  }

  /** @type {(key: string, value: Value) => void} */
  change(key, value) {
    this.values = { ...this.values, [key]: value };
    for (const { field, show } of this.controls) if (field.key === key) show(value); // two controls
    this.update();
    if (key === "teacher" || key === "temperature") this.queryTeacher();
  }

  /** @param {Aim} aim */
  choose(aim) {
    this.aim = aim;
    this.values = withAim(this.values, aim, this.texts.aims[aim], this.live?.distilled);
    for (const { field, show } of this.controls) show(this.values[field.key]);
    this.update();
  }

  // Shows what applies to the current values, and what the buttons will do.
  update() {
    const { texts, values, live } = this;
    const all = { ...values, aim: this.aim };
    for (const { field, node } of this.controls) node.hidden = live?.idle.includes(field.key) || !acts(field, all);
    for (const group of this.groups)
      group.hidden = [...group.querySelectorAll(".field")].every((node) => isHidden(node));
    const kind = values.start === "scratch" && values.teacher ? "student" : this.aim;
    for (const [name, { node }] of Object.entries(this.lengths)) node.hidden = name !== this.limit;
    const { amount } = texts.amounts[this.limit];
    setText(this.button, withAmount(texts.buttons[kind], amount, this.amounts?.[this.limit]));
    setText(this.sweepButton, withAmount(texts.sweep ?? "", amount, this.amounts?.[this.limit]));
    this.sweepButton.hidden = !texts.sweep || !values.teacher;
    setText(this.aimHelp, texts.aim.choices.find((choice) => choice.value === this.aim)?.help ?? "");
    setText(this.warning, texts.warnings[values.teacher] || "");
    setText(this.network, live?.network ?? "");
  }

  // Shows what Python says about the current recipe.
  /** @param {LiveTraining} live */
  show(live) {
    this.live = live;
    if (!this.texts) return;
    this.followStudent(live.student_labels);
    this.update();
  }

  // Another student was selected: training goes on with its share of the labels.
  /** @param {number} labels */
  followStudent(labels) {
    if (labels === this.studentLabels) return;
    this.studentLabels = labels;
    if (!("labels" in this.values)) return;
    this.values = { ...this.values, labels };
    for (const { field, show } of this.controls) if (field.key === "labels") show(labels);
  }

  // Requests the teacher's prediction; at most once per frame, for the newest values.
  queryTeacher() {
    if (!this.texts.sweep || this.queryFrame) return; // without classes there is no prediction
    this.queryFrame = requestAnimationFrame(() => {
      this.queryFrame = 0;
      const { teacher, temperature } = this.values;
      if (!teacher) return;
      this.channel.act("query_teacher", { teacher, temperature });
      this.onQuery?.();
    });
  }

  start() {
    this.channel.act("train", { values: this.values, [this.limit]: this.amounts?.[this.limit] });
    this.onStart?.();
  }

  sweep() {
    this.channel.act("sweep", { values: this.values, [this.limit]: this.amounts?.[this.limit] });
    this.onSweep?.();
  }
}

// Whether a setting has an effect, given the others.
/** @type {(field: { needs: [string, Value[]][] }, values: Values) => boolean} */
export function acts({ needs }, values) {
  return needs.every(([key, allowed]) => allowed.includes(values[key]));
}

// The settings with what the aim implies. Distillation keeps a teacher that was chosen before, or starts
// from the teacher and the temperature of the selected student.
/** @type {(values: Values, aim: Aim, implied: Values, distilled?: LiveTraining["distilled"]) => Values} */
export function withAim(values, aim, implied, distilled) {
  const { teacher } = values;
  if (aim !== "distill") return { ...values, ...implied };
  return { ...values, ...implied, ...(teacher ? { teacher } : distilled) };
}

// What training with these settings is for.
/** @type {(values: Values) => Aim} */
export function aimOf({ start, teacher }) {
  if (start === "scratch") return "train";
  return teacher ? "distill" : "fine_tune";
}

// The text of a button with the length of the training.
/** @type {(text: string, amount: string, count: number | undefined) => string} */
export function withAmount(text, amount, count) {
  return text.replace("{amount}", amount.replace("{count}", String(count)));
}

// A record with the results of a function for each value.
/** @type {<T, R>(record: Record<string, T>, result: (value: T) => R) => Record<string, R>} */
function mapped(record, result) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, result(value)]));
}

/** @type {(node: Element) => boolean} */
function isHidden(node) {
  return node instanceof HTMLElement && node.hidden === true;
}
