// The results card. `data-seq` is the sequence number of the values that the results belong to.

import { h, setText, term } from "./dom.js";

export class Card {
  constructor() {
    this.node = h("section", { className: "panel card" });
    this.announcement = h("p", { className: "announcement", role: "status", "aria-live": "polite" });
  }

  build(page) {
    const figure = (name) => h("p", { className: name, "data-number": name });
    this.parts = {};
    for (const name of ["accuracy", "interval", "change", "bytes", "times", "status"]) {
      this.parts[name] = figure(name);
    }
    const { accuracy, interval, change, bytes, times, status } = this.parts;
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

  show(state) {
    this.node.classList.toggle("outdated", state.outdated);
    this.node.dataset.busy = state.busy;
    if (state.outdated) return; // the results shown before stay until newer ones arrive
    const { numbers } = state;
    this.setPending(numbers.pending);
    for (const [name, node] of Object.entries(this.parts)) setText(node, numbers[name]);
    this.showFacts(numbers.facts);
    this.showReasons(numbers.reasons);
    this.node.classList.toggle("estimate", !numbers.exact);
    this.node.classList.toggle("stale", state.stale);
    this.node.dataset.exact = numbers.exact;
    this.node.dataset.seq = state.seq;
    if (!state.busy) setText(this.announcement, numbers.announcement);
  }

  // While only the size is known, CSS shows the previous accuracy, faded, to avoid flicker.
  setPending(pending) {
    const { accuracy } = this.parts;
    const wasPending = this.node.classList.contains("pending");
    if (pending && !wasPending) accuracy.dataset.before = accuracy.textContent;
    this.node.classList.toggle("pending", pending);
  }

  showFacts(facts) {
    const labels = facts.map((fact) => fact.label).join("\n"); // they differ between tasks
    if (labels !== this.factLabels) {
      this.factLabels = labels;
      this.facts.replaceChildren(
        ...facts.map((fact) => h("div", {}, h("dt", {}, term(fact.label, fact.help)), h("dd"))),
      );
    }
    this.facts.querySelectorAll("dd").forEach((node, index) => setText(node, facts[index].value));
  }

  showReasons(reasons) {
    const shown = [...this.reasons.children].map((node) => node.textContent);
    if (shown.join("\n") === reasons.join("\n")) return;
    this.reasons.replaceChildren(...reasons.map((text) => h("li", { text })));
  }
}
