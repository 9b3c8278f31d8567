// @ts-check
// Distillation: a slider for the temperature, the student to select, and the teacher's softened
// probabilities for an example. The bars are computed here, so that they follow the slider.

import { h, setDisabled, setText } from "./dom.js";
import { control } from "./field.js";
import { fill, largest, soften } from "./softmax.js";
import { selectedNote, selectStudent } from "./student.js";

/** @import { Channel } from "./channel.js" */
/** @import { MadeControl } from "./field.js" */
/** @import { DistillationState, DistillationTexts, Field, Page, Value, Values } from "./types" */

const PIXELS = 28; // of an example's edge

export class Distillation {
  /** @type {DistillationTexts | null} */ texts = null;
  /** @type {(MadeControl & { field: Field })[]} */ controls = [];
  /** @type {Values} */ values = {};
  /** @type {HTMLElement[]} */ bars = [];
  /** @type {HTMLCanvasElement} */ picture;
  /** @type {HTMLElement} */ chart;
  /** @type {HTMLElement} */ prediction;
  /** @type {HTMLElement} */ caption;
  /** @type {HTMLElement} */ comparison;
  /** @type {HTMLElement} */ repeated;
  /** @type {HTMLElement} */ running;
  /** @type {HTMLElement} */ runningText;
  /** @type {HTMLProgressElement} */ runningBar;
  /** @type {HTMLButtonElement} */ repeat;

  /**
   * @param {Channel} channel
   * @param {(values: Values) => void} onChange
   */
  constructor(channel, onChange) {
    this.channel = channel;
    this.onChange = onChange;
    this.example = 0;
    this.note = h("p", { className: "help warning", role: "status" });
    this.node = h("div", { className: "group distillation", role: "group" });
  }

  /** @param {Page} page */
  build({ settings }) {
    const texts = settings.distillation;
    this.texts = texts;
    this.node.hidden = texts === null;
    if (texts === null) return;
    this.controls = texts.fields.map((field) => ({ field, ...control(field, (value) => this.change(field, value)) }));
    const [temperature, ...choices] = this.controls;
    temperature.node.dataset.tour = texts.rules.temperature;
    this.picture = h("canvas", { width: PIXELS, height: PIXELS, role: "img" });
    this.bars = texts.classes.map(() => h("span"));
    this.chart = h("div", { className: "bars", role: "img" }, ...this.bars);
    this.caption = h("p", { className: "caption" });
    this.comparison = h("p", { className: "comparison", role: "status" });
    this.repeated = h("p", { className: "comparison repeated", role: "status" });
    this.runningText = h("span");
    this.runningBar = h("progress", { max: 1, "aria-label": texts.repeat });
    this.running = h("p", { className: "running", hidden: true }, this.runningText, this.runningBar);
    this.repeat = button(texts.repeat, texts.repeat_help, () => this.channel.act("repeat_student"));
    const next = button("▸", texts.next, () => {
      this.example += 1;
      this.paint();
    });
    next.setAttribute("aria-label", texts.next);
    this.prediction = h("div", { className: "teacher" }, this.picture, this.chart, next);
    this.node.setAttribute("aria-label", texts.title);
    this.node.replaceChildren(
      h("div", { className: "group-title", text: texts.title }),
      temperature.node,
      h("div", { className: "student" }, ...choices.map(({ node }) => node)),
      this.note,
      this.prediction,
      this.caption,
      this.comparison,
      this.repeated,
      this.running,
      this.repeat,
    );
  }

  /** @type {(field: Field, value: Value) => void} */
  change(field, value) {
    if (!this.texts) return;
    const { rules } = this.texts;
    const next = selectStudent(rules, this.values, field.key, value);
    setText(this.note, selectedNote(rules, this.values, next, field.key, this.note.textContent ?? ""));
    this.showValues(next);
    this.onChange(this.values);
  }

  /** @type {(values: Values, state: DistillationState | null) => void} */
  show(values, state) {
    if (!this.texts || !state) return;
    const next = pick(values, this.controls);
    const { temperature, teacher } = this.texts.rules;
    if (!next[temperature] || !next[teacher]) setText(this.note, ""); // such as after undo
    this.showValues(next);
    setText(this.comparison, state.comparison);
    setText(this.repeated, state.repeated);
    this.repeat.style.visibility = state.can_repeat ? "" : "hidden"; // keeps its place
    setDisabled(this.repeat, state.repeating !== null);
    this.running.hidden = !state.repeating;
    if (!state.repeating) return;
    setText(this.runningText, state.repeating.text);
    if (state.repeating.fraction === null) this.runningBar.removeAttribute("value");
    else this.runningBar.value = state.repeating.fraction;
  }

  /** @param {Values} values */
  showValues(values) {
    this.values = values;
    for (const { field, show } of this.controls) show(values[field.key]);
    this.paint();
  }

  paint() {
    if (!this.texts) return;
    const { classes, examples, logits, rules, texts, unit } = this.texts;
    const { temperature, teacher } = rules;
    this.prediction.hidden = !this.values[teacher];
    if (!this.values[teacher]) return setText(this.caption, texts.alone);
    const index = this.example % examples.length;
    const { label, image } = examples[index];
    const at = this.values[temperature] || 1;
    const shares = soften(logits[this.values[teacher]][index], at);
    const named = classes.map((name, number) => `${name} ${Math.round(100 * shares[number])}${unit}`);
    for (const [number, bar] of this.bars.entries()) {
      bar.style.setProperty("--share", String(shares[number]));
      bar.classList.toggle("label", number === label);
      bar.title = named[number];
    }
    const [first, second] = largest(shares, 2).map((number) => named[number]);
    setText(this.caption, fill(texts.caption, { t: String(at), first, second }));
    this.chart.setAttribute("aria-label", this.caption.textContent);
    this.picture.setAttribute("aria-label", fill(texts.image, { label: classes[label] }));
    draw(this.picture, image);
  }
}

/** @type {(values: Values, controls: { field: Field }[]) => Values} */
function pick(values, controls) {
  return Object.fromEntries(controls.map(({ field }) => [field.key, values[field.key]]));
}

/** @type {(text: string, title: string, onclick: () => void) => HTMLButtonElement} */
function button(text, title, onclick) {
  return h("button", { type: "button", className: "quiet small", text, title, onclick });
}

// Draws an image, given as base64 of its gray values, in gray on any background.
/** @type {(canvas: HTMLCanvasElement, image: string) => void} */
function draw(canvas, image) {
  if (canvas.dataset.image === image) return;
  canvas.dataset.image = image;
  const data = new ImageData(PIXELS, PIXELS);
  const values = atob(image);
  for (let i = 0; i < values.length; i += 1) data.data.set([127, 127, 127, values.charCodeAt(i)], 4 * i);
  canvas.getContext("2d")?.putImageData(data, 0, 0);
}
