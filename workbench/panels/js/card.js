// @ts-check
// The results card. `data-seq` is the sequence number of the values that the results belong to.

import { explanations, h, setText, term, uniqueId } from "./dom.js";

/** @import { Fact, Figure, Numbers, Page, State } from "./types" */

/** @type {Figure[]} */
const FIGURES = ["accuracy", "interval", "change", "bytes", "original", "times", "status"];
const ANNOUNCEMENT_DELAY = 500; // ms without a new result: during a drag nothing is announced

export class Card {
  /** @type {Record<Figure, HTMLElement>} */ parts;
  /** @type {HTMLElement} */ facts;
  /** @type {HTMLElement} */ help;
  /** @type {string} */ helpLabel;
  /** @type {string} */ less; // of the button while all reasons are visible
  moreText = ""; // of the button else
  /** @type {string} */ waiting; // what is said while there is no answer
  /** @type {HTMLElement} */ reason;
  /** @type {HTMLElement} */ reasons;
  /** @type {HTMLButtonElement} */ more;
  /** @type {string | null} */ factLabels;

  constructor() {
    this.node = h("section", { className: "panel card" });
    this.announcement = h("p", { className: "announcement", role: "status", "aria-live": "polite" });
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.announcing = undefined;
    this.opened = false; // whether all reasons are visible
  }

  /** @param {Page} page */
  build(page) {
    const parts = FIGURES.map((name) => h("p", { className: name, "data-number": name }));
    const [accuracy, interval, change, bytes, original, times, status] = parts;
    this.parts = { accuracy, interval, change, bytes, original, times, status };
    this.facts = h("dl", { className: "facts" });
    this.help = h("span");
    this.helpLabel = page.labels.explanations;
    this.waiting = page.labels.measuring;
    this.less = page.labels.less;
    this.factLabels = null;
    this.reason = h("span");
    const id = uniqueId();
    this.reasons = h("ul", { className: "reasons", id });
    this.more = h("button", {
      type: "button",
      className: "link",
      "aria-controls": id,
      onclick: () => {
        this.opened = !this.opened;
        this.disclose();
      },
    });
    this.node.setAttribute("aria-label", page.labels.results);
    this.node.replaceChildren(
      h(
        "div",
        { className: "big" },
        h("div", {}, accuracy, h("div", { className: "under" }, change, interval)),
        h("div", {}, bytes, h("div", { className: "under" }, original)),
        h("div", {}, times, h("div", { className: "under" }, status)),
      ),
      h("p", { className: "reason" }, this.reason, " ", this.more),
      this.reasons,
      h("div", { className: "facts-row" }, this.facts, this.help),
      this.announcement,
    );
    this.disclose();
  }

  // Says that the newest change is being measured; the numbers belong to the values before.
  wait() {
    setText(this.parts.status, this.waiting);
    this.node.classList.add("waiting");
  }

  /** @param {State} state */
  show(state) {
    const { numbers } = state;
    this.node.classList.toggle("outdated", !numbers);
    this.node.dataset.busy = String(state.busy);
    if (!numbers) return; // the results shown before stay until newer ones arrive
    this.node.classList.remove("waiting");
    this.setPending(numbers.pending);
    for (const name of FIGURES) setText(this.parts[name], numbers[name]);
    this.showFacts(numbers.facts);
    this.showReasons(numbers);
    this.node.classList.toggle("estimate", !numbers.exact);
    this.node.classList.toggle("stale", state.stale);
    this.node.dataset.exact = String(numbers.exact);
    this.node.dataset.seq = String(state.seq);
    clearTimeout(this.announcing);
    if (state.busy) return;
    this.announcing = setTimeout(() => setText(this.announcement, numbers.announcement), ANNOUNCEMENT_DELAY);
  }

  // While only the size is known, CSS shows the previous accuracy, faded, to avoid flicker.
  /** @param {boolean} pending */
  setPending(pending) {
    const { accuracy } = this.parts;
    const wasPending = this.node.classList.contains("pending");
    if (pending && !wasPending) accuracy.dataset.before = accuracy.textContent;
    this.node.classList.toggle("pending", pending);
  }

  /** @param {Fact[]} facts */
  showFacts(facts) {
    const labels = facts.map((fact) => fact.label).join("\n"); // they differ between tasks
    if (labels !== this.factLabels) {
      this.factLabels = labels;
      this.facts.replaceChildren(
        ...facts.map((fact) => h("div", {}, h("dt", {}, term(fact.label, fact.help)), h("dd"))),
      );
      this.help.replaceChildren(explanations(this.helpLabel, facts));
    }
    for (const [index, node] of this.facts.querySelectorAll("dd").entries()) setText(node, facts[index].value);
  }

  // Shows the first reason; a button opens the others.
  /** @param {Numbers} numbers */
  showReasons({ reasons, more }) {
    const [first = "", ...others] = reasons;
    setText(this.reason, first);
    this.moreText = more;
    const shown = [...this.reasons.children].map((node) => node.textContent);
    if (shown.join("\n") !== others.join("\n")) {
      this.reasons.replaceChildren(...others.map((text) => h("li", { text })));
    }
    this.disclose();
  }

  disclose() {
    const others = this.reasons.childElementCount > 0;
    this.more.hidden = !others;
    setText(this.more, this.opened ? this.less : this.moreText);
    this.more.setAttribute("aria-expanded", String(this.opened));
    this.reasons.hidden = !others || !this.opened;
  }
}
