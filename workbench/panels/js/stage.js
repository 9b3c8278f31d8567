// @ts-check
// Accuracy against size: the chart, its tools and the progress bar. A click on a point selects its recipe.

import { Chart } from "./chart.js";
import { h } from "./dom.js";
import { chartTools } from "./tabs.js";

/** @import { Context, Labels, Messages } from "./types" */

export class Stage {
  /** @type {Chart | null} */ chart = null;

  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.node = h("section", { className: "panel stage" });
  }

  /** @param {Labels} labels */
  build(labels) {
    this.node.setAttribute("aria-label", labels.tradeoff);
    if (this.chart) return;
    const { channel, status } = this.context;
    const tools = chartTools(labels, channel, () => this.chart, "chart");
    this.chart = new Chart(channel, tools, () => status.showMessage(labels.plotly_failed));
    this.chart.onPoint = (point) => {
      if (typeof point.customdata === "number") channel.act("visit", { key: point.customdata });
    };
    this.node.prepend(this.chart.node);
  }

  open() {
    this.node.append(this.context.status.progress);
  }

  /** @param {Messages["chart"]} message */
  showChart({ figure, seq }) {
    this.chart?.show(figure, seq);
  }

  close() {
    this.chart?.close();
  }
}
