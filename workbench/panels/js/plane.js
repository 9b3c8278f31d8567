// @ts-check
// The trade-off: plotly draws axes and earlier points when the control rests. The current point and the
// title belong to the event that changes the numbers, so that number and picture always agree.

import { Chart } from "./chart.js";
import { setText } from "./dom.js";
import { LiveLayer } from "./live_layer.js";
import { obstaclesOf } from "./obstacles.js";

/** @import { Channel } from "./channel.js" */
/** @import { Frame } from "./obstacles.js" */
/** @import { Box } from "./text_boxes.js" */
/** @import { LivePlane, PlaneFrame, PlotlyFigure, Trace } from "./types" */

const LIVE = "live"; // the `meta` of traces that this layer draws itself

export class Plane extends Chart {
  /**
   * @param {Channel} channel
   * @param {HTMLElement} tools
   * @param {() => void} onFail
   */
  constructor(channel, tools, onFail) {
    super(channel, tools, onFail);
    this.live = new LiveLayer();
    this.seq = 0;
    /** @type {PlaneFrame | null} */
    this.frameOfAxes = null;
    /** @type {Trace[]} */
    this.fixed = []; // the traces that plotly draws
    /** @type {PlotlyFigure["layout"] | null} */
    this.figureLayout = null;
    this.addLayer(this.live.node);
  }

  // Shows the point, the trail and the title that belong to the numbers with this sequence number.
  /** @type {(plane: LivePlane, seq: number) => void} */
  move(plane, seq) {
    this.seq = seq;
    this.setTitle(plane.title);
    this.live.show(plane);
    if (this.figure) this.plot.dataset.seq = String(seq);
  }

  /** @type {(figure: PlotlyFigure, seq: number, frame: PlaneFrame) => void} */
  showFigure(figure, seq, frame) {
    this.frameOfAxes = frame;
    this.show(figure, seq);
  }

  /** @param {PlotlyFigure} figure */
  drawn(figure) {
    this.fixed = figure.data.filter((trace) => trace.meta !== LIVE);
    this.figureLayout = figure.layout;
    return this.fixed;
  }

  /** @type {(frame: Frame) => Box[]} */
  takenIn(frame) {
    const view = this.viewIn(frame);
    return view ? this.live.taken(view) : [];
  }

  // The axes in a frame, and the points and lines that labels are not to cover.
  /** @param {Frame} frame */
  viewIn(frame) {
    if (!this.frameOfAxes || !this.figureLayout) return null;
    const { x, y } = this.frameOfAxes;
    const { marks, lines, grips } = obstaclesOf(this.fixed, this.figureLayout, frame);
    return { ...frame, x, y, marks, lines, labels: grips };
  }

  /** @type {(figure: PlotlyFigure, seq: number) => void} */
  finish(_figure, _seq) {
    const { l, r, t, b } = this.layout.margin;
    const { width, height } = this.layout;
    const view = this.viewIn({ width, height, left: l, right: r, top: t, bottom: b });
    if (!view) return;
    this.live.place({ ...view, labels: this.labels });
    this.plot.dataset.seq = String(this.seq);
  }

  /** @param {string} text */
  setTitle(text) {
    setText(this.title, text);
    this.plot.setAttribute("aria-label", text);
  }
}
