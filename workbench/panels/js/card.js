// The numbers. `data-seq` on the card is the sequence number of the values they answer.

import { h, setText, term } from "./dom.js";

export class Card {
  constructor() {
    this.node = h("section", { className: "panel card" });
    this.spoken = h("p", { className: "spoken", role: "status", "aria-live": "polite" });
  }

  build(page) {
    const figure = (name) => h("p", { className: name, "data-number": name });
    this.parts = {};
    for (const name of ["accuracy", "interval", "change", "bytes", "times", "judged"]) {
      this.parts[name] = figure(name);
    }
    const { accuracy, interval, change, bytes, times, judged } = this.parts;
    this.facts = h("dl", { className: "facts" });
    this.labels = null;
    this.reasons = h("ul", { className: "reasons" });
    this.node.setAttribute("aria-label", page.words.numbers);
    this.node.replaceChildren(
      h(
        "div",
        { className: "big" },
        h("div", {}, accuracy, h("div", { className: "under" }, change, interval)),
        h("div", {}, bytes, h("div", { className: "under" }, times)),
        h("div", { className: "state" }, judged),
      ),
      this.facts,
      this.reasons,
      this.spoken,
    );
  }

  show(state) {
    this.node.classList.toggle("late", state.late);
    this.node.dataset.busy = state.busy;
    if (state.late) return; // these numbers answer something older: they stay until newer ones come
    const { numbers } = state;
    this.keepFaint(numbers.pending);
    for (const [name, node] of Object.entries(this.parts)) setText(node, numbers[name]);
    this.showFacts(numbers.facts);
    this.showReasons(numbers.reasons);
    this.node.classList.toggle("estimate", !numbers.exact);
    this.node.classList.toggle("stale", state.stale);
    this.node.dataset.exact = numbers.exact;
    this.node.dataset.seq = state.seq;
    if (!state.busy) setText(this.spoken, numbers.spoken);
  }

  // While only the size is known the accuracy before stays to be seen, faint, so that nothing blinks;
  // the text itself is that of the present values.
  keepFaint(pending) {
    const { accuracy } = this.parts;
    const was = this.node.classList.contains("pending");
    if (pending && !was) accuracy.dataset.before = accuracy.textContent;
    this.node.classList.toggle("pending", pending);
  }

  showFacts(facts) {
    const labels = facts.map((fact) => fact.label).join("\n"); // another task has other figures
    if (labels !== this.labels) {
      this.labels = labels;
      this.facts.replaceChildren(
        ...facts.map((fact) => h("div", {}, h("dt", {}, term(fact.label, fact.help)), h("dd"))),
      );
    }
    this.facts.querySelectorAll("dd").forEach((node, place) => setText(node, facts[place].value));
  }

  showReasons(reasons) {
    const shown = [...this.reasons.children].map((node) => node.textContent);
    if (shown.join("\n") === reasons.join("\n")) return;
    this.reasons.replaceChildren(...reasons.map((text) => h("li", { text })));
  }
}
