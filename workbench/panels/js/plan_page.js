// @ts-check
// The page on which the user plans a large model: controls, the answer, and tabs with pictures. Python
// computes each answer; one request is on its way at a time, and the newest waits.

import { describe, h, setText, term, uniqueId } from "./dom.js";
import { control } from "./field.js";
import { Tabs } from "./tabs.js";

/** @import { MadeControl } from "./field.js" */
/** @import { Context, Field, Page, PlanMessage, State, Stops, TabMessage, Values } from "./types" */

export class PlanPage {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    /** @type {Record<string, MadeControl>} */
    this.controls = {};
    /** @type {Values | null} */
    this.waiting = null; // changes that are not sent yet
    this.described = ""; // the controls that are shown
    this.busy = false; // whether an answer is on its way
    this.asked = false; // whether the page was open
    this.planned = ""; // the digest of the open file
    this.tabs = new Tabs(context.channel, context.status, { closable: false });
    this.settings = h("form", { className: "panel settings", onsubmit: (event) => event.preventDefault() });
    this.fits = h("p", { className: "fits" });
    this.numbers = h("dl", { className: "plan-numbers" });
    this.sentences = h("ul", { className: "reasons" });
    this.file = h("input", { type: "file", accept: ".json,application/json", onchange: () => this.openConfig() });
    this.largest = 0; // bytes of a file that is read
    this.refused = h("p", { className: "help problem", role: "alert" });
    this.opener = h("label", { className: "quiet open-config" }, h("span"), this.file);
    this.answer = h("section", { className: "panel card plan-answer", "aria-live": "polite" });
    this.answer.append(this.fits, this.numbers, this.sentences);
    this.strip = new PlanStrip();
    this.node = h("div", { className: "page pictures plan" });
    this.node.append(this.strip.node, this.settings, this.tabs.bar, this.tabs.body, this.answer);
    context.channel.on("plan", (message) => this.receive(message));
  }

  /** @param {Page} page */
  build(page) {
    const label = page.pages.find(({ key }) => key === "plan")?.label ?? "";
    this.settings.setAttribute("aria-label", label);
    this.answer.setAttribute("aria-label", page.labels.results);
    this.tabs.build(page, "plan");
  }

  open() {
    this.asked = true;
    this.context.channel.act("plan");
    this.tabs.resume();
  }

  // Asks again when another file is open, or is created at last: a plan can take as many bits as it.
  /** @param {State} state */
  show({ file }) {
    if (!file || file === this.planned) return;
    this.planned = file;
    if (this.asked) this.context.channel.act("plan");
  }

  /** @type {(key: string, value: unknown) => void} */
  change(key, value) {
    this.waiting = { ...this.waiting, [key]: value };
    this.send();
  }

  send() {
    if (this.busy || !this.waiting) return;
    this.busy = true;
    this.context.channel.act("plan", { values: this.waiting });
    this.waiting = null;
  }

  /** @param {PlanMessage} message */
  receive(message) {
    this.busy = false;
    if (message.fields) this.buildControls(message.fields, message.open);
    for (const [key, made] of Object.entries(this.controls)) {
      if (!(this.waiting && key in this.waiting)) made.show(message.values[key]);
      made.node.hidden = message.hidden.includes(key);
    }
    this.largest = message.largest;
    if (message.refused !== undefined) setText(this.refused, message.refused);
    setText(this.fits, message.fits.text);
    this.fits.dataset.tone = message.fits.tone;
    this.numbers.replaceChildren(
      ...message.numbers.map(({ value, label }) => h("div", {}, h("dt", { text: label }), h("dd", { text: value }))),
    );
    this.strip.show(message);
    this.sentences.replaceChildren(...message.sentences.map((text) => h("li", { text })));
    this.send();
  }

  // Sends the text of the chosen file, unless it is too large; Python reads it and answers with the controls.
  async openConfig() {
    const [file] = this.file.files ?? [];
    if (!file) return;
    const text = file.size > this.largest ? null : await file.text();
    this.context.channel.act("plan", { file: { name: file.name, text } });
    this.file.value = "";
  }

  /** @type {(fields: (Field | Stops)[], open: string) => void} */
  buildControls(fields, open) {
    const description = JSON.stringify([fields, open]);
    if (description === this.described) return; // the page was opened again: its sliders stay in the hand
    this.described = description;
    const focused = document.activeElement?.getAttribute("aria-label");
    this.controls = Object.fromEntries(
      fields.map((field) => {
        const change = (/** @type {unknown} */ value) => this.change(field.key, value);
        return [field.key, "kind" in field ? control(field, change) : stops(field, change)];
      }),
    );
    this.settings.replaceChildren(...Object.values(this.controls).map(({ node }) => node));
    setText(/** @type {HTMLElement} */ (this.opener.firstChild), open);
    this.controls.model.node.append(this.opener, this.refused);
    const again = focused ? this.settings.querySelector(`[aria-label="${CSS.escape(focused)}"]`) : null;
    if (again instanceof HTMLElement) again.focus();
  }

  /** @param {TabMessage} message */
  showTab(message) {
    this.tabs.show(message);
  }

  close() {
    this.tabs.clear();
  }
}

// The answer in the strip of narrow and low windows. It repeats the answer, so screen readers skip it.
class PlanStrip {
  constructor() {
    this.fits = h("span", { className: "times" });
    this.memory = h("span");
    this.time = h("span", { className: "times" });
    this.label = h("span");
    this.node = h(
      "div",
      { className: "summary", "aria-hidden": "true" },
      h("div", {}, this.fits, this.memory),
      h("div", {}, this.time, this.label),
    );
  }

  /** @param {PlanMessage} message */
  show({ fits, numbers }) {
    const [memory, ...times] = numbers;
    const last = times.reverse().find(({ brief }) => brief);
    setText(this.fits, fits.text);
    this.fits.dataset.tone = fits.tone;
    setText(this.memory, memory?.value ?? "");
    setText(this.time, last?.value ?? "");
    setText(this.label, last?.brief ?? "");
  }
}

// A slider over many values, such as powers of two, whose value stands next to its label.
/** @type {(field: Stops, change: (value: unknown) => void) => MadeControl} */
export function stops(field, change) {
  const id = uniqueId();
  const last = field.choices.length - 1;
  const output = h("output", { className: "readout", htmlFor: id });
  const input = h("input", { type: "range", id, min: 0, max: last, step: 1, "aria-label": field.label });
  const label = term(field.label, field.help);
  describe(input, label);
  const paint = () => {
    const text = field.choices[Number(input.value)].label;
    input.style.setProperty("--share", String(Number(input.value) / last));
    input.setAttribute("aria-valuetext", text);
    setText(output, text);
  };
  input.addEventListener("input", () => {
    paint();
    change(field.choices[Number(input.value)].value);
  });
  return {
    node: h("div", { className: "field slider" }, h("div", { className: "field-head" }, label, output), input),
    show(value) {
      input.value = String(
        Math.max(
          0,
          field.choices.findIndex((choice) => choice.value === value),
        ),
      );
      paint();
    },
  };
}
