// @ts-check
// The page that recommends recipes: three questions, three cards, the reasons, and the picture of all
// recipes that were measured.

import { commits, isFollowing, showCommitted } from "./committed_fields.js";
import { h, setDisabled, setText } from "./dom.js";
import { LimitHandles } from "./limit_handles.js";
import { answered } from "./limits.js";
import { Tabs } from "./tabs.js";

/** @import { Chart } from "./chart.js" */
/** @import { ChoosingCard, ChoosingQuestion, ChoosingTexts, Context, LiveChoosing, MoveState, Page, State, TabMessage } from "./types" */

/** @typedef {{ question: ChoosingQuestion, input: HTMLInputElement, help: HTMLElement, mark: HTMLElement }
 *   & ReturnType<typeof answered>} Asked */

/** @type {Record<string, string>} */
const LIMITS = { budget: "max_bytes", floor: "min_accuracy" }; // the questions about the limits of the picture

export class ChoosePage {
  /** @type {ChoosingTexts} */ texts;
  /** @type {Asked[]} */ inputs = [];
  shown = ""; // the cards and reasons that are displayed
  /** @type {Chart | null} */ chart = null; // whose limits can be dragged
  isMoving = false; // whether one is being dragged

  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.tabs = new Tabs(context.channel, context.status, { closable: false });
    this.form = h("form", {
      className: "panel settings choosing",
      noValidate: true, // each input answers by itself
      onsubmit: (event) => this.start(event),
    });
    this.button = h("button", { type: "submit", className: "primary" });
    this.searched = h("p", { className: "help" });
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
      this.searched,
      ...this.inputs.map((asked) => this.line(asked)),
      this.button,
    );
    this.tabs.build(page, "choose");
  }

  /** @type {(question: ChoosingQuestion) => Asked} */
  makeInput(question) {
    const { label, step, value, bounds } = question;
    const placeholder = bounds.required ? "" : this.texts.none;
    /** @type {HTMLInputElement} */
    const input = h("input", {
      type: "number",
      step,
      placeholder,
      "aria-label": label,
      onchange: () => this.draw(asked),
    });
    input.value = value === null ? "" : String(value);
    const help = h("span", { className: "help", text: question.help });
    const mark = h("span", { className: "suggested", text: this.texts.suggested, hidden: true });
    const asked = { question, input, help, mark, ...answered(input, bounds) };
    if (!bounds.required) commits(input);
    return asked;
  }

  /** @type {(asked: Asked) => HTMLElement} */
  line({ question, input, help, mark, error }) {
    return h(
      "label",
      { className: "choosing-question" },
      h("span", { className: "choosing-label", text: question.label }),
      h("span", { className: "with-unit" }, input, h("span", { className: "unit", text: question.unit }), mark),
      error,
      help,
    );
  }

  /** @param {Event} event */
  start(event) {
    event.preventDefault();
    const demand = this.demand();
    if (!demand) return this.inputs.find(({ input }) => input.ariaInvalid === "true")?.input.focus();
    this.context.channel.act("choose", demand);
    this.tabs.choose("choose");
  }

  // What the questions ask for, or null if an answer is not allowed.
  demand() {
    const answers = this.inputs.map(({ question, check }) => ({ question, value: check() }));
    if (answers.some(({ value }) => value === undefined)) return null;
    return demandOf(answers.map(({ question, value }) => [question, value ?? null]));
  }

  // Sets one limit of the next search, which the picture shows, or its time.
  /** @param {Asked} asked */
  draw({ question, check }) {
    const value = check();
    if (value === undefined) return;
    if (question.key === "seconds") this.context.channel.act("focus", { key: "search_seconds", value });
    else this.context.channel.act("choose_limits", demandOf([[question, value]]));
  }

  // A limit is dragged in the picture.
  /** @type {(key: string, typed: number | null, state: MoveState) => void} */
  move(key, typed, state) {
    this.isMoving = state === "moving";
    const asked = this.inputs.find(({ question }) => question.key === LIMITS[key]);
    if (!asked) return;
    showCommitted(asked.input, typed === null ? "" : String(typed));
    asked.clear();
    if (state === "dropped") this.draw(asked);
  }

  open() {
    this.tabs.resume();
  }

  /** @param {State} state */
  show({ choosing }) {
    setDisabled(this.button, choosing.working);
    for (const asked of this.inputs) {
      this.showLimit(asked, choosing.limits);
      asked.mark.hidden = !choosing.suggested.includes(asked.question.key);
      setText(asked.help, choosing.helps[asked.question.key] ?? asked.question.help);
    }
    setText(this.searched, choosing.searched);
    setText(this.headline, choosing.headline);
    this.headline.classList.toggle("met", choosing.met);
    const description = JSON.stringify([choosing.cards, choosing.reasons]);
    if (description === this.shown) return; // keeps the focus
    this.shown = description;
    this.showResults(choosing);
  }

  // An input that is being typed in or corrected stays.
  /** @type {(asked: Asked, limits: Record<string, number | null>) => void} */
  showLimit({ question: { key, scale }, input, error }, limits) {
    const isEdited = input === document.activeElement && !isFollowing(input);
    if (!(key in limits) || this.isMoving || isEdited || error.textContent) return;
    const value = limits[key];
    showCommitted(input, value === null ? "" : String(Number((value / scale).toPrecision(9))));
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
  card({ title, name, facts, recipe, model }) {
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
        onclick: () => this.select(recipe, model),
      }),
    );
  }

  /** @type {(recipe: string, model?: string | null) => void} */
  select(recipe, model = null) {
    this.context.channel.act("choose_recipe", { recipe, model });
    this.context.go("compress");
  }

  /** @param {TabMessage} message */
  showTab(message) {
    this.tabs.show(message);
    const { chart } = this.tabs;
    if (!chart) return;
    if (chart !== this.chart) {
      this.chart = chart;
      new LimitHandles(chart, (key, typed, _value, state) => this.move(key, typed, state));
    }
    chart.onBrush = (field, range) => this.context.channel.act("focus", { key: "narrowed", value: { field, range } });
    chart.onPoint = ({ customdata }) => {
      if (customdata?.recipe) this.select(customdata.recipe, customdata.model);
    };
  }

  close() {
    this.tabs.clear();
  }
}

// What the questions ask for, in the units of Python; null for no limit.
/** @type {(answers: [{ key: string, scale: number }, number | null][]) => Record<string, number | null>} */
export function demandOf(answers) {
  return Object.fromEntries(answers.map(([{ key, scale }, value]) => [key, value === null ? null : value * scale]));
}
