// @ts-check
// The results card. `data-seq` is the sequence number of the values that the results belong to.

import { h, setText, term } from "./dom.js";

/** @import { Fact, Figure, Page, State } from "./types" */

/** @type {Figure[]} */
const FIGURES = ["accuracy", "interval", "change", "bytes", "times", "status"];

export class Card {
  /** @type {Record<Figure, HTMLElement>} */ parts;
  /** @type {HTMLElement} */ facts;
  /** @type {HTMLElement} */ reasons;
  /** @type {string | null} */ factLabels;

  constructor() {
    this.node = h("section", { className: "panel card" });
    this.announcement = h("p", { className: "announcement", role: "status", "aria-live": "polite" });
  }

  /** @param {Page} page */
  build(page) {
    const parts = FIGURES.map((name) => h("p", { className: name, "data-number": name }));
    const [accuracy, interval, change, bytes, times, status] = parts;
    this.parts = { accuracy, interval, change, bytes, times, status };
    this.facts = h("dl", { className: "facts" });
    this.factLabels = null;
    this.reasons = h("ul", { className: "reasons" });
    this.node.setAttribute("aria-label", page.labels.results);
    this.node.replaceChildren(
      h(
        "div",
        { className: "big" },
        h("div", {}, accuracy, h("div", { className: "under" }, change, interval)),
        h("div", {}, bytes, h("div", { className: "under" }, times)),
        h("div", { className: "state" }, status),
      ),
      this.facts,
      this.reasons,
      this.announcement,
    );
  }

  /** @param {State} state */
  show(state) {
    this.node.classList.toggle("outdated", state.outdated);
    this.node.dataset.busy = String(state.busy);
    if (state.outdated) return; // the results shown before stay until newer ones arrive
    const { numbers } = state;
    this.setPending(numbers.pending);
    for (const name of FIGURES) setText(this.parts[name], numbers[name]);
    this.showFacts(numbers.facts);
    this.showReasons(numbers.reasons);
    this.node.classList.toggle("estimate", !numbers.exact);
    this.node.classList.toggle("stale", state.stale);
    this.node.dataset.exact = String(numbers.exact);
    this.node.dataset.seq = String(state.seq);
    if (!state.busy) setText(this.announcement, numbers.announcement);
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
    }
    for (const [index, node] of this.facts.querySelectorAll("dd").entries()) setText(node, facts[index].value);
  }

  /** @param {string[]} reasons */
  showReasons(reasons) {
    const shown = [...this.reasons.children].map((node) => node.textContent);
    if (shown.join("\n") === reasons.join("\n")) return;
    this.reasons.replaceChildren(...reasons.map((text) => h("li", { text })));
  }
}
