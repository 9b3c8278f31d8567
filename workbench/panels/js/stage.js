// @ts-check
// Accuracy against size: the chart, its tools and the progress bar. A click on a point selects its recipe.

import { h } from "./dom.js";
import { Plane } from "./plane.js";
import { chartTools } from "./tabs.js";

/** @import { Context, Labels, Messages, State } from "./types" */

export class Stage {
  /** @type {Plane | null} */ chart = null;

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
    this.chart = new Plane(channel, tools, () => status.showMessage(labels.plotly_failed));
    this.chart.live.label = labels.you;
    this.chart.onPoint = ({ customdata }) => {
      if (typeof customdata === "number") channel.act("visit", { key: customdata });
      else if (customdata?.act) channel.act(customdata.act, customdata);
    };
    this.node.prepend(this.chart.node);
  }

  open() {
    this.node.append(this.context.status.progress);
  }

  // Moves the point and the title; called in the same frame as the numbers change.
  /** @param {State} state */
  show({ plane, seq }) {
    if (plane) this.chart?.move(plane, seq);
  }

  /** @param {Messages["chart"]} message */
  showChart({ figure, seq, frame }) {
    this.chart?.showFigure(figure, seq, frame);
  }

  close() {
    this.chart?.close();
  }
}
