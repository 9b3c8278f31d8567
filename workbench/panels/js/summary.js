// @ts-check
// The strip that stays visible in narrow and low windows while a control moves: accuracy, size and a
// small picture of the trade-off. It repeats the card, so screen readers skip it.

import { h, setText } from "./dom.js";
import { dot, position, svg } from "./live_layer.js";

/** @import { LivePlane, Messages, PlaneFrame, State, Trace } from "./types" */

const WIDTH = 110;
const HEIGHT = 60;
const MARGIN = 6;
const RADIUS = 2.5;
const BASE = ["presets", "visited", "original"]; // the traces that the small picture repeats
const STRIP_FIGURES = /** @type {const} */ (["accuracy", "change", "bytes", "times"]);

export class Summary {
  /** @type {PlaneFrame | null} */ frame = null;
  /** @type {LivePlane | null} */ plane = null;

  constructor() {
    const [accuracy, change, bytes, times] = STRIP_FIGURES.map((name) => h("span", { className: name }));
    this.parts = { accuracy, change, bytes, times };
    this.base = svg("g");
    this.live = svg("g");
    const picture = svg("svg", { width: WIDTH, height: HEIGHT });
    picture.append(svg("path", { class: "axes", d: `M${MARGIN} 0V${HEIGHT - MARGIN}H${WIDTH}` }), this.base, this.live);
    this.node = h(
      "div",
      { className: "summary", "aria-hidden": "true" },
      h("div", {}, accuracy, change),
      h("div", {}, bytes, times),
    );
    this.node.append(picture);
  }

  wait() {
    this.node.classList.add("waiting");
  }

  /** @param {State} state */
  show({ numbers, plane }) {
    if (!numbers) return;
    this.node.classList.remove("waiting");
    this.node.classList.toggle("pending", numbers.pending);
    for (const name of STRIP_FIGURES) {
      if (!numbers.pending || name !== "accuracy") setText(this.parts[name], numbers[name]);
    }
    this.plane = plane;
    this.draw();
  }

  /** @param {Messages["chart"]} message */
  showFigure({ figure, frame }) {
    this.frame = frame;
    const points = figure.data.filter((trace) => BASE.includes(trace.name ?? ""));
    this.base.replaceChildren(...this.goal(frame), ...points.flatMap((trace) => this.points(trace)));
    this.draw();
  }

  /** @type {(x: number, y: number) => [number, number]} */
  at(x, y) {
    const { x: across = [0, 1], y: up = [0, 1] } = this.frame ?? {};
    const margins = { left: MARGIN, right: MARGIN, top: MARGIN, bottom: MARGIN };
    return position({ width: WIDTH, height: HEIGHT, ...margins, x: across, y: up }, x, y);
  }

  /** @param {Trace} trace */
  points({ name = "", x = [], y = [] }) {
    return x.map((bytes, index) => dot(this.at(Math.log10(bytes), y[index]), name, RADIUS));
  }

  // The shaded areas outside the goal.
  /** @param {PlaneFrame} frame */
  goal({ budget, floor }) {
    const areas = [];
    if (budget !== null) {
      const [x] = this.at(budget, 0);
      areas.push(svg("rect", { class: "outside", x, y: 0, width: WIDTH - x, height: HEIGHT - MARGIN }));
    }
    if (floor !== null) {
      const [, y] = this.at(0, floor);
      areas.push(svg("rect", { class: "outside", x: MARGIN, y, width: WIDTH, height: HEIGHT - MARGIN - y }));
    }
    return areas;
  }

  draw() {
    if (!this.frame || !this.plane) return;
    const { you, trail } = this.plane;
    const dots = trail.map(([x, y]) => dot(this.at(x, y), "trail", 1.5));
    if (you) dots.push(dot(this.at(you.x, you.y), you.exact ? "you" : "you estimate", 4));
    this.live.replaceChildren(...dots);
  }
}
