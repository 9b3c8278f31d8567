// @ts-check
// One plotly chart with its title. The newest figure is drawn in the next animation frame. Older
// figures that are not drawn yet are dropped, and nothing is drawn while the chart is hidden.

import { h, setText } from "./dom.js";
import { withLabels } from "./label_room.js";
import { loadPlotly } from "./plotly.js";
import { inTheme } from "./theme_colors.js";
import { inLines, linesWithin, widthOfNames, withRoom, withSpacedTicks } from "./ticks.js";

/** @import { Channel } from "./channel.js" */
/** @import { Frame } from "./obstacles.js" */
/** @import { Box } from "./text_boxes.js" */
/** @import { Dimension, Plotly, PlotElement, PlotlyFigure, Point, Trace } from "./types" */

const TITLE_HEIGHT = 36; // px of the top margin for the title in the saved image
const AXIS_ROOM = 76; // px between two parallel axes, for their labels
const LINE_HEIGHT = 17; // px of a further line of the title below the axis

const CONFIG = {
  displayModeBar: false,
  displaylogo: false,
  plotlyServerURL: "",
  showTips: false,
  doubleClick: false,
  scrollZoom: false,
};

export class Chart {
  /**
   * @param {Channel} channel
   * @param {HTMLElement} tools
   * @param {() => void} onFail
   */
  constructor(channel, tools, onFail) {
    this.title = h("h2");
    this.plot = /** @type {PlotElement} */ (/** @type {unknown} */ (h("div", { className: "plot", role: "img" })));
    this.node = h("div", { className: "chart" }, h("div", { className: "chart-head" }, this.title, tools), this.plot);
    this.name = ""; // of the saved image, without its ending
    this.revision = 0; // of the figure that is drawn; several may have one sequence number
    /** @type {{ figure: PlotlyFigure, seq: number } | null} */
    this.waiting = null; // the figure to draw next
    /** @type {Plotly | null} */
    this.plotly = null;
    /** @type {PlotlyFigure | null} */
    this.figure = null; // the figure that is drawn
    this.request = 0; // of an animation frame
    this.isDrawing = false; // plotly draws a figure in several steps if labels need more margin
    /** @type {any} */
    this.layout = {}; // the layout that is drawn
    /** @type {Box[]} */
    this.labels = []; // the places of the texts that are drawn
    /** @type {((point: Point) => void) | null} */
    this.onPoint = null; // called with the clicked point
    /** @type {HTMLElement | null} */
    this.frame = null; // around the plot and the layers over it
    /** @type {(() => void) | null} */
    this.onDraw = null; // called when a figure was drawn
    /** @type {((field: string, range: number[] | null) => void) | null} */
    this.onBrush = null; // called when a range of a named axis of parallel coordinates was dragged
    loadPlotly(channel).then((plotly) => {
      this.plotly = plotly;
      this.schedule();
    }, onFail);
    this.resizeObserver = new ResizeObserver(() => this.fit());
    this.resizeObserver.observe(this.plot);
    this.themeObserver = new MutationObserver(() => this.fit());
  }

  /** @type {(figure: PlotlyFigure, seq: number) => void} */
  show(figure, seq) {
    this.waiting = { figure, seq };
    this.plot.setAttribute("aria-label", figure.layout.title.text); // an image has a name before it is drawn
    if (!this.plotly) setText(this.title, figure.layout.title.text); // plotly.js takes a while to load
    this.schedule();
  }

  schedule() {
    if (this.request || this.isDrawing || !this.plotly || !this.waiting) return;
    this.request = requestAnimationFrame(() => {
      this.request = 0;
      this.draw();
    });
  }

  draw() {
    if (!this.plotly || !this.waiting || this.plot.offsetParent === null) return;
    const { seq } = this.waiting;
    const figure = inTheme(this.waiting.figure, this.plot.closest(".wb"));
    this.waiting = null;
    const { margin, xaxis, yaxis } = figure.layout;
    const axes = figure.data.flatMap(({ dimensions }) => dimensions ?? []).length;
    const width = Math.max(this.plot.clientWidth, axes && margin.l + margin.r + AXIS_ROOM * (axes - 1));
    this.scrolls(width > this.plot.clientWidth);
    const room = width - margin.l - margin.r;
    const lines = inLines(xaxis?.title?.text ?? "", room + 2 * Math.min(margin.l, margin.r));
    const [start, end] = xaxis?.domain ?? [0, 1];
    const before = this.layout;
    this.layout = {
      ...figure.layout,
      title: { text: "" },
      margin: { ...margin, t: margin.t - TITLE_HEIGHT, b: margin.b + LINE_HEIGHT * (lines.length - 1) },
      // plotly fails on an axis that is named but undefined
      ...(xaxis && {
        xaxis: {
          ...withRoom(xaxis, (end - start) * (room - widthOfNames(yaxis, figure.data))),
          title: { ...xaxis.title, text: lines.join("<br>") },
        },
      }),
      width,
      height: this.plot.clientHeight,
    };
    const { l, r, t, b } = this.layout.margin;
    const upright = this.layout.height - Math.abs(b - t); // px around the middle of the axis
    const name = yaxis?.title?.text;
    if (name) {
      const text = linesWithin(name, upright);
      this.layout.yaxis = { ...yaxis, title: { ...yaxis.title, text } };
    }
    const frame = { width, height: this.layout.height, left: l, right: r, top: t, bottom: b };
    if (figure !== this.figure) this.revision += 1;
    const spaced = this.drawn(figure).map((trace) => withSpacedTicks(trace, this.layout.height - t - b));
    const traces = withBrushes(spaced, this.plot.data?.[0]?.dimensions ?? [], this.revision);
    const { data, annotations, labels } = withLabels(traces, this.layout, frame, this.takenIn(frame));
    this.labels = labels;
    // At a new size, `react` sometimes leaves the legend at its old place, over the picture.
    const isResized = before.width !== width || before.height !== this.layout.height;
    const isNew = !this.figure || (figure.layout.showlegend && isResized);
    this.isDrawing = true;
    this.plotly[isNew ? "newPlot" : "react"](this.plot, data, { ...this.layout, annotations }, CONFIG).finally(() => {
      this.isDrawing = false;
      this.schedule();
    });
    if (isNew) this.listen();
    if (!this.figure) this.watchTheme();
    this.figure = figure;
    this.finish(figure, seq);
    this.onDraw?.();
  }

  // Lays a node over the plot.
  /** @param {Element} node */
  addLayer(node) {
    if (!this.frame) {
      this.frame = h("div", { className: "plane" });
      this.plot.replaceWith(this.frame);
      this.frame.append(this.plot);
    }
    this.frame.append(node);
  }

  // Answers the events of a new plot.
  listen() {
    this.plot.on("plotly_click", (event) => this.onPoint?.(event.points[0]));
    this.plot.on("plotly_restyle", ([change]) => {
      const brushed = brushOf(change, this.figure?.data[0]?.dimensions ?? []);
      if (brushed) this.onBrush?.(brushed.field, brushed.range);
    });
  }

  // Redraws in the colors of another theme.
  watchTheme() {
    const root = this.plot.closest(".wb");
    if (root) this.themeObserver.observe(root, { attributeFilter: ["data-theme"] });
  }

  // Lets a picture that is wider than its place scroll, also with the keyboard.
  /** @param {boolean} isWide */
  scrolls(isWide) {
    this.plot.classList.toggle("wide", isWide);
    if (isWide) this.plot.tabIndex = 0;
    else this.plot.removeAttribute("tabindex");
  }

  // The traces to draw.
  /** @param {PlotlyFigure} figure */
  drawn(figure) {
    return figure.data;
  }

  // The places of labels that are drawn otherwise.
  /** @type {(frame: Frame) => Box[]} */
  takenIn(_frame) {
    return [];
  }

  // Called when a figure is drawn.
  /** @type {(figure: PlotlyFigure, seq: number) => void} */
  finish(figure, seq) {
    const { text } = figure.layout.title;
    setText(this.title, text);
    this.plot.dataset.seq = String(seq);
  }

  // Redraws at the new size; a chart that was hidden is drawn for the first time.
  fit() {
    if (!this.waiting && this.figure) this.waiting = { figure: this.figure, seq: Number(this.plot.dataset.seq) };
    this.schedule();
  }

  // The image of the chart, or null if nothing is drawn yet.
  async save() {
    if (!this.plotly || !this.figure) return null;
    const background = getComputedStyle(this.node).getPropertyValue("--panel").trim();
    const { width, height } = this.plot.getBoundingClientRect();
    const size = { width: Math.max(width, 800), height: Math.max(height, 400) };
    const { l, r, t, b } = this.figure.layout.margin;
    const frame = { ...size, left: l, right: r, top: t, bottom: b };
    const { data, annotations } = withLabels(this.figure.data, this.figure.layout, frame);
    const figure = { data, layout: { ...this.figure.layout, annotations, paper_bgcolor: background } };
    if (!this.plot.querySelector(".parcoords")) {
      return (await fetch(await this.plotly.toImage(figure, { format: "png", scale: 2, ...size }))).blob();
    }
    const drawn = await (await fetch(await this.plotly.toImage(figure, { format: "svg", ...size }))).text();
    const muted = getComputedStyle(this.node).getPropertyValue("--muted").trim();
    return toPng(withAxes(drawn, muted), size, background);
  }

  close() {
    this.resizeObserver.disconnect();
    this.themeObserver.disconnect();
    if (this.request) cancelAnimationFrame(this.request);
    if (this.plotly && this.figure) this.plotly.purge(this.plot);
  }
}

// Axes of parallel coordinates in a color: those of plotly.js are black, also on a dark ground.
/** @type {(svg: string, color: string) => string} */
export function withAxes(svg, color) {
  const style = `<style>.axis line, .axis path { stroke: ${color} !important; stroke-opacity: 0.6 !important; }</style>`;
  return svg.replace(/^<svg[^>]*>/, (start) => start + style);
}

/** @type {(svg: string, size: { width: number, height: number }, background: string) => Promise<Blob | null>} */
async function toPng(svg, { width, height }, background) {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = h("canvas", { width: 2 * width, height: 2 * height });
  const context = canvas.getContext("2d");
  if (!context) return null;
  context.fillStyle = background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

// Traces whose axes without a name keep the range that was dragged before. By itself, plotly.js gives it to the
// axis at the same place, which may be another one: `revision` tells it that the figure is new.
/** @type {(data: Trace[], before: Dimension[], revision: number) => Trace[]} */
export function withBrushes(data, before, revision) {
  const ranges = new Map(before.map(({ label, constraintrange }) => [label, constraintrange]));
  /** @type {(dimension: Dimension) => Dimension} */
  const brushed = (dimension) => {
    const range = ranges.get(dimension.label);
    return dimension.name || !range ? dimension : { ...dimension, constraintrange: range };
  };
  return data.map((trace) =>
    trace.dimensions ? { ...trace, uirevision: revision, dimensions: trace.dimensions.map(brushed) } : trace,
  );
}

// Which axis of parallel coordinates was brushed, and its range; null if none that has a name was.
/** @type {(change: Record<string, any>, dimensions: { name?: string }[]) => { field: string, range: number[] | null } | null} */
export function brushOf(change, dimensions) {
  for (const [path, value] of Object.entries(change)) {
    const [, number] = path.match(/^dimensions\[(\d+)\]\.constraintrange$/) ?? [];
    const field = dimensions[Number(number)]?.name;
    if (field) return { field, range: value?.[0]?.length === 2 ? value[0] : null };
  }
  return null;
}
