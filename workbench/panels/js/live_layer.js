// @ts-check
// The part of the trade-off that moves with the numbers: the current point with its interval, the
// trail of the drag, and students. It is drawn in the same frame as the numbers, without plotly.

import { h } from "./dom.js";
import { boxAt, overlap } from "./label_room.js";

/** @import { Box } from "./label_room.js" */
/** @import { LivePlane, Place } from "./types" */
/** @typedef {{ width: number, height: number, left: number, right: number, top: number, bottom: number,
 *   x: number[], y: number[], marks?: Box[] }} View   the size, margins (px) and ends of the axes, and where
 *   other points are */
/** @typedef {LivePlane["marks"][number]} Mark   a student */

const YOU = 10; // px from the center of the point to its corners
const TRIANGLE = 8;
const DOT = 3;
const CAP = 5; // half the width of the ends of the interval
const LABEL = 16; // px from the point to its label
const LABEL_WIDTH = 48; // px that the label takes at most
const STUDENT_SIDES = { student: "top center", alone: "bottom center" }; // of the labels of students

/** @type {string | null} */
let namespace = null; // of SVG elements, as the parser of the browser sets it

/** @type {(tag: string, attributes?: Record<string, string | number>, text?: string) => SVGElement} */
export function svg(tag, attributes = {}, text = "") {
  namespace ??= h("div", { innerHTML: "<svg></svg>" }).children[0].namespaceURI;
  const node = /** @type {SVGElement} */ (document.createElementNS(namespace, tag));
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  if (text) node.textContent = text;
  return node;
}

// The position of a point in px; points outside the axes stay at their ends.
/** @type {(view: View, x: number, y: number) => [number, number]} */
export function position(view, x, y) {
  const across = fraction(view.x, x) * (view.width - view.left - view.right);
  const up = fraction(view.y, y) * (view.height - view.top - view.bottom);
  return [round(view.left + across), round(view.height - view.bottom - up)];
}

/** @type {(ends: number[], value: number) => number} */
function fraction([low, high], value) {
  return Math.max(0, Math.min(1, (value - low) / (high - low)));
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}

export class LiveLayer {
  /** @type {View | null} */ view = null;
  /** @type {LivePlane | null} */ plane = null;
  label = "";
  shown = "";

  constructor() {
    this.node = svg("svg", { class: "live", "aria-hidden": "true" });
  }

  // Called with the axes of the chart below, when it is drawn.
  /** @param {View} view */
  place(view) {
    this.view = view;
    this.draw();
  }

  /** @param {LivePlane} plane */
  show(plane) {
    this.plane = plane;
    this.draw();
  }

  // The places of the current point with its label, and of those labels of students that are drawn.
  /** @type {(view: View) => Box[]} */
  taken(view) {
    return this.plane ? [...currentBoxes(view, this.plane.you), ...studentLabels(view, this.plane).values()] : [];
  }

  draw() {
    const { view, plane } = this;
    if (!view || !plane) return;
    const { you, faint, size, trail, marks } = plane;
    const described = JSON.stringify([view, plane]);
    if (described === this.shown) return;
    this.shown = described;
    /** @type {(x: number, y: number) => [number, number]} */
    const at = (x, y) => position(view, x, y);
    const labeled = studentLabels(view, plane);
    this.node.replaceChildren(
      ...(size === null ? [] : [this.sizeLine(at(size, 0)[0], view)]),
      ...trail.map(([x, y, exact]) => dot(at(Number(x), Number(y)), exact ? "trail" : "trail estimate")),
      ...marks.flatMap((mark) => triangle(at(mark.x, mark.y), mark, labeled.has(mark))),
      ...(you ? this.you(you, at, faint) : []),
    );
    this.node.setAttribute("width", String(view.width));
    this.node.setAttribute("height", String(view.height));
  }

  /** @type {(x: number, view: View) => SVGElement} */
  sizeLine(x, view) {
    return svg("line", { class: "size", x1: x, x2: x, y1: view.top, y2: view.height - view.bottom });
  }

  // The current point: filled if it is exact, hollow with an interval if not.
  /** @type {(you: Place, at: (x: number, y: number) => [number, number], faint: boolean) => SVGElement[]} */
  you(you, at, faint) {
    const [x, y] = at(you.x, you.y);
    const low = at(you.x, you.low)[1];
    const high = at(you.x, you.high)[1];
    const hollow = faint || !you.exact;
    const side = this.view ? sideOf(this.view, x, y) : "right";
    const group = svg("g", {
      class: `you${hollow ? " estimate" : ""}${faint ? " faint" : ""}`,
      "data-x": you.x,
      "data-y": you.y,
    });
    if (!you.exact && low - high > 2) {
      group.append(
        svg("path", {
          class: "interval",
          d: `M${x} ${low}V${high}M${x - CAP} ${low}h${2 * CAP}M${x - CAP} ${high}h${2 * CAP}`,
        }),
      );
    }
    const diamond = svg("path", {
      class: "mark",
      d: `M${x} ${y - YOU}l${YOU} ${YOU}l${-YOU} ${YOU}l${-YOU} ${-YOU}z`,
    });
    diamond.append(svg("title", {}, you.hover));
    const label = { class: side, x: side === "right" ? x + LABEL : x - LABEL, y: y + 5 };
    group.append(diamond, svg("text", label, this.label));
    return [group];
  }
}

/** @type {(at: [number, number], className: string, radius?: number) => SVGElement} */
export function dot([x, y], className, radius = DOT) {
  return svg("circle", { class: className, cx: x, cy: y, r: radius });
}

// The side of the current point on which its label has room, and covers no other point if possible.
/** @type {(view: View, x: number, y: number) => "right" | "left"} */
function sideOf(view, x, y) {
  const right = labelBox("right", x, y);
  const left = labelBox("left", x, y);
  if (right.right >= view.width) return "left";
  /** @type {(box: Box) => boolean} */
  const isFree = (box) => !(view.marks ?? []).some((mark) => overlap(box, mark));
  return !isFree(right) && left.left > view.left && isFree(left) ? "left" : "right";
}

/** @type {(side: "right" | "left", x: number, y: number) => Box} */
function labelBox(side, x, y) {
  const left = side === "right" ? x + LABEL : x - LABEL - LABEL_WIDTH;
  return { left, right: left + LABEL_WIDTH, top: y - YOU + 1, bottom: y + YOU - 1 };
}

// The boxes of the current point and of its label.
/** @type {(view: View, you: Place | null) => Box[]} */
export function currentBoxes(view, you) {
  if (!you) return [];
  const [x, y] = position(view, you.x, you.y);
  const label = labelBox(sideOf(view, x, y), x, y);
  return [{ ...label, left: x - YOU, right: x + YOU }, label];
}

// The boxes of the labels of students; one that would cover another label is left out.
/** @type {(view: View, plane: LivePlane) => Map<Mark, Box>} */
export function studentLabels(view, { you, marks }) {
  const taken = currentBoxes(view, you).slice(1);
  /** @type {Map<Mark, Box>} */
  const boxes = new Map();
  for (const mark of marks) {
    const side = mark.kind === "student" ? STUDENT_SIDES.student : STUDENT_SIDES.alone;
    const box = boxAt(...position(view, mark.x, mark.y), mark.label, side, TRIANGLE);
    if ([...taken, ...boxes.values()].some((other) => overlap(box, other))) continue;
    boxes.set(mark, box);
  }
  return boxes;
}

/** @type {(at: [number, number], mark: Mark, labeled: boolean) => SVGElement[]} */
function triangle([x, y], { kind, label, hover }, labeled) {
  const node = svg("path", {
    class: `student ${kind}`,
    d: `M${x} ${y - TRIANGLE}l${TRIANGLE} ${1.8 * TRIANGLE}h${-2 * TRIANGLE}z`,
  });
  node.append(svg("title", {}, hover));
  if (!labeled) return [node];
  const place = { class: `student-label ${kind}`, x, y: kind === "student" ? y - TRIANGLE - 6 : y + 2 * TRIANGLE + 10 };
  return [node, svg("text", place, label)];
}
