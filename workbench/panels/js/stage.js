// @ts-check
// Accuracy against size: the chart, its tools and the progress bar. A click on a point selects its recipe.

import { h, uniqueId } from "./dom.js";
import { LimitHandles } from "./limit_handles.js";
import { Plane } from "./plane.js";
import { chartTools } from "./tabs.js";

/** @import { Context, Labels, Messages, MoveState, State } from "./types" */

export class Stage {
  /** @type {Plane | null} */ chart = null;
  /** @type {((key: string, typed: number | null, state: MoveState) => void) | null} */ onLimit = null; // called while one is dragged

  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.table = h("table", { id: uniqueId() }); // what the chart shows, for screen readers
    this.node = h("section", { className: "panel stage" }, h("div", { className: "off-screen" }, this.table));
  }

  /** @param {Labels} labels */
  build(labels) {
    this.node.setAttribute("aria-label", labels.tradeoff);
    if (this.chart) return;
    const { channel, status } = this.context;
    const tools = chartTools(labels, channel, () => this.chart, "chart");
    this.chart = new Plane(channel, tools, () => status.showMessage(labels.plotly_failed));
    this.chart.live.label = labels.you;
    this.chart.live.onTrail = (key) => channel.act("visit_trail", { key });
    this.chart.onPoint = ({ customdata }) => {
      if (typeof customdata === "number") channel.act("visit", { key: customdata });
      else if (customdata?.act) channel.act(customdata.act, customdata);
    };
    new LimitHandles(this.chart, (key, typed, value, state) => {
      this.onLimit?.(key, typed, state);
      if (state === "dropped") channel.act(key, { value });
    });
    this.chart.plot.setAttribute("aria-details", this.table.id);
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
  showChart({ figure, seq, frame, table, name }) {
    if (this.chart) this.chart.name = name;
    this.chart?.showFigure(figure, seq, frame);
    this.table.replaceChildren(
      h("caption", { text: table.caption }),
      h("thead", {}, h("tr", {}, ...table.head.map((text) => h("th", { scope: "col", text })))),
      h("tbody", {}, ...table.rows.map((row) => h("tr", {}, ...row.map((text) => h("td", { text }))))),
    );
  }

  close() {
    this.chart?.close();
  }
}
