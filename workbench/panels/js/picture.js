// One plotly picture under its finding. The newest figure is drawn in the next animation frame; older
// ones that were not drawn yet are dropped, and nothing is drawn while the picture is out of sight.

import { h, setText } from "./dom.js";
import { loadPlotly } from "./plotly.js";

const TITLE = 36; // px of the top margin that the title takes in the picture that is saved

const CONFIG = {
  displayModeBar: false,
  displaylogo: false,
  plotlyServerURL: "",
  showTips: false,
  doubleClick: false,
  scrollZoom: false,
};

export class Picture {
  constructor(channel, tools, onFail) {
    this.title = h("h2");
    this.plot = h("div", { className: "plot", role: "img" });
    this.node = h("div", { className: "picture" }, h("div", { className: "picture-head" }, this.title, tools), this.plot);
    this.waiting = null;
    this.plotly = null;
    this.figure = null; // what is drawn now
    this.onPoint = null; // called with the point that was clicked
    loadPlotly(channel).then((plotly) => {
      this.plotly = plotly;
      this.plan();
    }, onFail);
    this.watch = new ResizeObserver(() => this.fit());
    this.watch.observe(this.plot);
  }

  show(figure, seq) {
    this.waiting = { figure, seq };
    this.plan();
  }

  plan() {
    if (this.planned || !this.plotly || !this.waiting) return;
    this.planned = requestAnimationFrame(() => {
      this.planned = 0;
      this.draw();
    });
  }

  draw() {
    if (!this.waiting || this.plot.offsetParent === null) return;
    const { figure, seq } = this.waiting;
    this.waiting = null;
    const { title, margin } = figure.layout;
    const layout = {
      ...figure.layout,
      title: { text: "" },
      margin: { ...margin, t: margin.t - TITLE },
      width: this.plot.clientWidth,
      height: this.plot.clientHeight,
    };
    setText(this.title, title.text);
    this.plot.setAttribute("aria-label", title.text);
    this.plotly.react(this.plot, figure.data, layout, CONFIG);
    if (!this.figure) this.plot.on("plotly_click", (event) => this.onPoint?.(event.points[0]));
    this.figure = figure;
    this.plot.dataset.seq = seq;
  }

  // Draws again at the new size; a picture that was out of sight is drawn for the first time.
  fit() {
    if (!this.waiting && this.figure) this.waiting = { figure: this.figure, seq: this.plot.dataset.seq };
    this.plan();
  }

  async save(ground) {
    const { width, height } = this.plot.getBoundingClientRect();
    const figure = {
      data: this.figure.data,
      layout: { ...this.figure.layout, paper_bgcolor: ground },
    };
    const options = { format: "png", width: Math.max(width, 800), height: Math.max(height, 400), scale: 2 };
    return (await fetch(await this.plotly.toImage(figure, options))).blob();
  }

  close() {
    this.watch.disconnect();
    if (this.planned) cancelAnimationFrame(this.planned);
    if (this.plotly && this.figure) this.plotly.purge(this.plot);
  }
}
