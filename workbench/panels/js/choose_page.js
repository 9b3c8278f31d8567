// @ts-check
// The page that recommends recipes: three questions, three cards, the reasons, and the picture of all
// recipes that were measured.

import { h, setText } from "./dom.js";
import { Tabs } from "./tabs.js";

/** @import { ChoosingCard, ChoosingQuestion, ChoosingTexts, Context, LiveChoosing, Page, Shape, State, TabMessage } from "./types" */

export class ChoosePage {
  /** @type {ChoosingTexts} */ texts;
  /** @type {{ question: ChoosingQuestion, input: HTMLInputElement }[]} */ inputs = [];
  shown = ""; // the cards and reasons that are displayed

  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.tabs = new Tabs(context.channel, context.status, { closable: false });
    this.form = h("form", { className: "panel settings choosing", onsubmit: (event) => this.start(event) });
    this.button = h("button", { type: "submit", className: "primary" });
    this.headline = h("p", { className: "choosing-headline", role: "status" });
    this.cards = h("ul", { className: "choosing-cards" });
    this.reasons = h("section", { className: "panel choosing-reasons" });
    this.results = h("div", { className: "choosing-results" }, this.headline, this.cards);
    this.node = h("div", { className: "page choose" });
    this.node.append(this.form, this.results, this.tabs.body, this.reasons);
  }

  /** @param {Page} page */
  build(page) {
    this.texts = page.choosing;
    this.form.setAttribute("aria-label", this.texts.title);
    this.cards.setAttribute("aria-label", this.texts.cards);
    this.inputs = this.texts.questions.map((question) => this.makeInput(question));
    setText(this.button, this.texts.start);
    this.form.replaceChildren(
      h("h2", { text: this.texts.title }),
      ...this.inputs.map(({ question, input }) => this.line(question, input)),
      this.button,
    );
    this.tabs.build(page, "choose");
  }

  /** @type {(question: ChoosingQuestion) => { question: ChoosingQuestion, input: HTMLInputElement }} */
  makeInput(question) {
    const { label, low, high, step, value } = question;
    const placeholder = question.key === "seconds" ? "" : this.texts.none;
    const props = { type: "number", min: low, max: high, step, placeholder, "aria-label": label };
    const input = h("input", { ...props, required: question.key === "seconds", onchange: () => this.draw() });
    input.value = value === null ? "" : String(value);
    return { question, input };
  }

  /** @type {(question: ChoosingQuestion, input: HTMLInputElement) => HTMLElement} */
  line(question, input) {
    return h(
      "label",
      { className: "choosing-question" },
      h("span", { className: "choosing-label", text: question.label }),
      h("span", { className: "with-unit" }, input, h("span", { className: "unit", text: question.unit })),
      h("span", { className: "help", text: question.help }),
    );
  }

  /** @param {Event} event */
  start(event) {
    event.preventDefault();
    this.context.channel.act("choose", demandOf(this.inputs.map(({ question, input }) => [question, input.value])));
    this.tabs.choose("choose");
  }

  // Draws the limits of the next search in the picture.
  draw() {
    const demand = demandOf(this.inputs.map(({ question, input }) => [question, input.value]));
    this.context.channel.act("focus", { key: "limits", value: demand });
  }

  // A limit was dragged in the picture.
  /** @type {(change: Record<string, unknown>, shapes: Shape[]) => void} */
  drop(change, shapes) {
    const dropped = droppedLimit(change, shapes);
    const line = this.inputs.find(({ question }) => question.key === dropped?.key);
    if (!dropped || !line) return;
    line.input.value = String(Number((dropped.value / line.question.scale).toPrecision(4)));
    this.draw();
  }

  open() {
    this.tabs.resume();
  }

  /** @param {State} state */
  show({ choosing }) {
    this.button.disabled = choosing.working;
    setText(this.headline, choosing.headline);
    this.headline.classList.toggle("met", choosing.met);
    const description = JSON.stringify([choosing.cards, choosing.reasons]);
    if (description === this.shown) return; // keeps the focus
    this.shown = description;
    this.showResults(choosing);
  }

  /** @param {LiveChoosing} choosing */
  showResults({ cards, reasons }) {
    const focused = [...this.cards.querySelectorAll("button")].indexOf(
      /** @type {HTMLButtonElement} */ (document.activeElement),
    );
    this.cards.replaceChildren(...cards.map((card) => this.card(card)));
    this.cards.querySelectorAll("button")[focused]?.focus();
    this.reasons.hidden = !reasons.length;
    this.reasons.replaceChildren(
      h("h2", { text: this.texts.reasons }),
      h("ul", {}, ...reasons.map((text) => h("li", { text }))),
    );
  }

  /** @param {ChoosingCard} card */
  card({ title, name, facts, recipe }) {
    return h(
      "li",
      { className: "panel choosing-card" },
      h("span", { className: "choosing-title", text: title }),
      h("strong", { text: name }),
      h("dl", {}, ...facts.map(({ value, label }) => h("div", {}, h("dd", { text: value }), h("dt", { text: label })))),
      h("button", {
        type: "button",
        className: "quiet",
        text: this.texts.open,
        "aria-label": `${this.texts.open}: ${name}`,
        onclick: () => this.select(recipe),
      }),
    );
  }

  /** @param {string} recipe */
  select(recipe) {
    this.context.channel.act("choose_recipe", { recipe });
    this.context.go("compress");
  }

  /** @param {TabMessage} message */
  showTab(message) {
    this.tabs.show(message);
    const { chart } = this.tabs;
    if (!chart) return;
    chart.onChange = (change, shapes) => this.drop(change, shapes);
    chart.onPoint = ({ customdata }) => {
      if (customdata?.recipe) this.select(customdata.recipe);
      else if (customdata?.act) {
        this.context.channel.act(customdata.act, customdata);
        this.context.go("compress");
      }
    };
  }

  close() {
    this.tabs.clear();
  }
}

// What the questions ask for, in the units of Python; null for no limit.
/** @type {(answers: [{ key: string, scale: number }, string][]) => Record<string, number | null>} */
export function demandOf(answers) {
  return Object.fromEntries(
    answers.map(([{ key, scale }, text]) => [key, text.trim() === "" ? null : Number(text) * scale]),
  );
}

// Which limit was dragged, and where to; null if none was. Accuracies are drawn as -log10 of the error.
/** @type {(change: Record<string, unknown>, shapes: { name?: string }[]) => { key: string, value: number } | null} */
export function droppedLimit(change, shapes) {
  for (const [path, place] of Object.entries(change)) {
    const [, number, axis] = path.match(/^shapes\[(\d+)\]\.([xy])[01]$/) ?? [];
    const key = shapes[Number(number)]?.name;
    if (typeof place !== "number") continue;
    if (key === "max_bytes" && axis === "x") return { key, value: Math.max(1, Math.round(place)) };
    if (key === "min_accuracy" && axis === "y") return { key, value: Math.max(0, 1 - 10 ** -place) };
  }
  return null;
}
