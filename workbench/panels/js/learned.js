// @ts-check
// What a model of the user's data learned: its figures next to those of guessing, and how it was measured.

import { Chart } from "./chart.js";
import { showText } from "./check_parts.js";
import { h, setText, uniqueId } from "./dom.js";

/** @import { Channel } from "./channel.js" */
/** @import { Labels, Learned, LearnedClass, PlotlyFigure } from "./types" */

export class LearnedFigures {
  /** @type {Labels} */ labels;
  /** @type {Chart | null} */ chart = null;

  /** @param {Channel} channel */
  constructor(channel) {
    this.channel = channel;
    this.title = h("h2", { id: uniqueId() });
    this.poor = h("p", { className: "poor", role: "status" });
    this.figures = h("dl", { className: "learned-figures" });
    this.classes = h("tbody");
    this.table = h("div", { className: "scroll", role: "region", tabIndex: 0 });
    this.plot = h("div", { className: "learned-plot" });
    this.next = h("button", { type: "button", onclick: () => this.node.close() });
    this.node = h("dialog", {
      className: "check learned panel",
      "aria-labelledby": this.title.id,
    });
    this.node.addEventListener("close", () => this.clear());
  }

  /** @param {Labels} labels */
  build(labels) {
    this.labels = labels;
    this.table.setAttribute("aria-label", labels.classes);
    setText(this.next, labels.next);
    const heads = [labels.class, labels.examples, labels.recall];
    this.table.replaceChildren(
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ...heads.map((text) => h("th", { scope: "col", text })))),
        this.classes,
      ),
    );
    this.node.replaceChildren(
      h("div", { className: "check-head" }, this.title),
      h("div", { className: "check-content learned-body" }, this.poor, this.figures, this.table, this.plot),
      h("div", { className: "check-foot" }, this.next),
    );
  }

  /** @param {Learned} learned */
  show({ title, poor, figures, classes, figure }) {
    setText(this.title, title);
    showText(this.poor, poor);
    setText(this.next, poor ? this.labels.next_poor : this.labels.next);
    this.next.className = poor ? "quiet" : "primary";
    this.figures.replaceChildren(
      ...figures.map(({ label, value, note }) =>
        h("div", {}, h("dt", { text: label }), h("dd", {}, h("strong", { text: value }), h("span", { text: note }))),
      ),
    );
    this.classes.replaceChildren(...classes.map((item) => this.row(item)));
    this.table.hidden = !classes.length;
    if (!this.node.open) this.node.showModal();
    this.showPlot(figure);
  }

  /** @param {LearnedClass} item */
  row({ name, examples, recall, share }) {
    const bar = h("span", { className: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--share", String(share));
    return h(
      "tr",
      {},
      h("th", { scope: "row", className: "column-name", text: name, title: name }),
      h("td", { className: "number", text: examples }),
      h("td", { className: "recall" }, bar, h("span", { text: recall })),
    );
  }

  /** @param {PlotlyFigure | null} figure */
  showPlot(figure) {
    this.plot.hidden = !figure;
    if (!figure) return;
    this.chart = new Chart(this.channel, h("div"), () => {});
    this.plot.replaceChildren(this.chart.node);
    this.chart.show(figure, 0);
  }

  clear() {
    this.chart?.close();
    this.chart = null;
    this.plot.replaceChildren();
  }
}
