// @ts-check
// The part of the trade-off that moves with the numbers: the current point with its interval, the
// trail of the drag, and students. It is drawn in the same frame as the numbers, without plotly.

import { h } from "./dom.js";
import { crosses } from "./obstacles.js";
import { collide, inTwoLines, linesBox, overlap, SPACING } from "./text_boxes.js";

/** @import { Segment } from "./obstacles.js" */
/** @import { Box } from "./text_boxes.js" */
/** @import { LivePlane, Place } from "./types" */
/** @typedef {{ width: number, height: number, left: number, right: number, top: number, bottom: number,
 *   x: number[], y: number[], marks?: Box[], lines?: Segment[], labels?: Box[] }} View   the size, margins (px) and
 *   ends of the axes, and where other points, lines and labels are */
/** @typedef {LivePlane["marks"][number]} Mark   a student */

const YOU = 10; // px from the center of the point to its corners
const TIP = 2; // px of a corner of the diamond, next to which there is room
const TRIANGLE = 8;
const DOT = 3;
const TARGET = 5; // px around a dot that is clicked; presets below it can be clicked next to it
const CAP = 5; // half the width of the ends of the interval
const LABEL = 16; // px from the point to its label
const LABEL_WEIGHT = 600;
const BASELINE = 5; // px from the center of the point to the baseline of its label
const CLEAR = 2; // px from a label to a line

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
  /** @type {(index: number) => void} */ onTrail = () => {}; // called with the clicked dot of the trail

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

  // The places of the current point and of students, with those of their labels that are drawn.
  /** @type {(view: View) => Box[]} */
  taken(chart) {
    if (!this.plane) return [];
    const view = withTrail(chart, this.plane);
    const { you, marks } = this.plane;
    const students = marks.map((mark) => around(...position(view, mark.x, mark.y), TRIANGLE));
    return [
      ...currentBoxes(view, you, this.label),
      ...students,
      ...[...studentLabels(view, this.plane, this.label).values()].map(({ box }) => box),
    ];
  }

  draw() {
    const { plane } = this;
    if (!this.view || !plane) return;
    const { you, faint, size, trail, marks } = plane;
    const described = JSON.stringify([this.view, plane]);
    if (described === this.shown) return;
    this.shown = described;
    const view = withTrail(this.view, plane);
    /** @type {(x: number, y: number) => [number, number]} */
    const at = (x, y) => position(view, x, y);
    const labels = studentLabels(view, plane, this.label);
    this.node.replaceChildren(
      ...(size === null ? [] : [this.sizeLine(at(size, 0)[0], view)]),
      ...trail.flatMap(([x, y, exact, hover], index) => this.trailDot(at(x, y), exact, hover, index)),
      ...marks.flatMap((mark) => triangle(at(mark.x, mark.y), mark, labels.get(mark))),
      ...(you ? this.you(you, view, faint) : []),
    );
    this.node.setAttribute("width", String(view.width));
    this.node.setAttribute("height", String(view.height));
  }

  // A dot with an invisible one around it, which is large enough to click.
  /** @type {(at: [number, number], exact: boolean, hover: string, index: number) => SVGElement[]} */
  trailDot(at, exact, hover, index) {
    const target = dot(at, "trail-target", TARGET);
    target.append(svg("title", {}, hover));
    target.addEventListener("click", () => this.onTrail(index));
    return [dot(at, exact ? "trail" : "trail estimate"), target];
  }

  /** @type {(x: number, view: View) => SVGElement} */
  sizeLine(x, view) {
    return svg("line", { class: "size", x1: x, x2: x, y1: view.top, y2: view.height - view.bottom });
  }

  // The current point: filled if it is exact, hollow with an interval if not.
  /** @type {(you: Place, view: View, faint: boolean) => SVGElement[]} */
  you(you, view, faint) {
    const [x, y] = position(view, you.x, you.y);
    const low = position(view, you.x, you.low)[1];
    const high = position(view, you.x, you.high)[1];
    const hollow = faint || !you.exact;
    const side = sideOf(view, x, y, this.label);
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
    group.append(diamond);
    if (side) group.append(svg("text", { class: side.name, x: x + side.across, y: y + side.down }, this.label));
    return [group];
  }
}

/** @type {(at: [number, number], className: string, radius?: number) => SVGElement} */
export function dot([x, y], className, radius = DOT) {
  return svg("circle", { class: className, cx: x, cy: y, r: radius });
}

/** @typedef {{ name: string, across: number, down: number, anchor: "start" | "middle" | "end" }} Side   of the current
 *   point, with the start of its label in px from the center */
/** @type {Side[]} */
const SIDES = [
  { name: "right", across: LABEL, down: BASELINE, anchor: "start" },
  { name: "left", across: -LABEL, down: BASELINE, anchor: "end" },
  { name: "below", across: 0, down: LABEL + 2 * BASELINE, anchor: "middle" },
  { name: "above", across: 0, down: -LABEL, anchor: "middle" },
];

// The side of the current point on which its label has room: it covers no other label, and no point or line if
// possible.
/** @type {(view: View, x: number, y: number, label: string) => Side | null} */
function sideOf(view, x, y, label) {
  const boxes = SIDES.map((side) => ({ side, box: labelBox(side, x, y, label) }));
  const free = boxes.filter(
    ({ box }) => isInside(view, box) && !(view.labels ?? []).some((other) => collide(box, other)),
  );
  const clear = free.filter(({ box }) => !(view.marks ?? []).some((mark) => overlap(box, mark)));
  const chosen = clear.find(({ box }) => !isCrossed(view, box)) ?? clear[0] ?? free[0];
  return chosen?.side ?? null;
}

/** @type {(view: View, box: Box) => boolean} */
const isInside = ({ width, height, left, top, bottom }, box) =>
  box.left > left && box.right < width && box.top >= top && box.bottom < height - bottom;

/** @type {(view: View, box: Box) => boolean} */
const isCrossed = ({ lines = [] }, box) => lines.some((line) => crosses(box, line, CLEAR));

/** @type {(side: Side, x: number, y: number, label: string) => Box} */
function labelBox({ across, down, anchor }, x, y, label) {
  return linesBox(x + across, y + down, label, anchor, LABEL_WEIGHT);
}

/** @type {(x: number, y: number, radius: number) => Box} */
function around(x, y, radius) {
  return { left: x - radius, right: x + radius, top: y - radius, bottom: y + radius };
}

// The view with the dots of a drag among its points: labels are not to cover them either.
/** @type {(view: View, plane: LivePlane) => View} */
export function withTrail(view, { trail }) {
  const dots = trail.map(([x, y]) => around(...position(view, x, y), DOT));
  return { ...view, marks: [...(view.marks ?? []), ...dots] };
}

// The boxes of the current point and of its label.
/** @type {(view: View, you: Place | null, label: string) => Box[]} */
export function currentBoxes(view, you, label) {
  if (!you) return [];
  const [x, y] = position(view, you.x, you.y);
  const side = sideOf(view, x, y, label);
  return [around(x, y, YOU - TIP), ...(side ? [labelBox(side, x, y, label)] : [])];
}

/** @typedef {{ text: string, x: number, baseline: number, anchor: "start" | "middle" | "end", box: Box }} Label */

// The labels of students, in one line or two. One that would cover a label, a point or a line is left out.
/** @type {(view: View, plane: LivePlane, label: string) => Map<Mark, Label>} */
export function studentLabels(view, { you, marks }, label) {
  const [current, ...name] = currentBoxes(view, you, label);
  const places = new Map(marks.map((mark) => [mark, position(view, mark.x, mark.y)]));
  const taken = [...name, ...(view.labels ?? [])];
  const points = [...(current ? [current] : []), ...(view.marks ?? [])];
  points.push(...[...places.values()].map(([x, y]) => around(x, y, TRIANGLE)));
  /** @type {Map<Mark, Label>} */
  const labels = new Map();
  for (const [mark, [x, y]] of places) {
    const free = [mark.label, inTwoLines(mark.label)]
      .flatMap((text) => placesAround(text, x, y, mark.kind))
      .find(
        ({ box }) =>
          isInside(view, box) &&
          !taken.some((other) => collide(box, other)) &&
          !points.some((point) => overlap(box, point)) &&
          !isCrossed(view, box),
      );
    if (!free) continue;
    labels.set(mark, free);
    taken.push(free.box);
  }
  return labels;
}

// The places of a text around a student: a distilled one has it above if possible, another one below.
/** @type {(text: string, x: number, y: number, kind: string) => Label[]} */
function placesAround(text, x, y, kind) {
  const more = SPACING * (text.split("<br>").length - 1); // px from the first baseline to the last one
  /** @type {Omit<Label, "text" | "box">[]} */
  const upright = [
    { x, baseline: y - TRIANGLE - 6 - more, anchor: "middle" },
    { x, baseline: y + 2 * TRIANGLE + 10, anchor: "middle" },
  ];
  if (kind !== "student") upright.reverse();
  /** @type {Omit<Label, "text" | "box">[]} */
  const places = [
    ...upright,
    { x: x - LABEL, baseline: y + BASELINE - more / 2, anchor: "end" },
    { x: x + LABEL, baseline: y + BASELINE - more / 2, anchor: "start" },
  ];
  return places.map((place) => ({ ...place, text, box: linesBox(place.x, place.baseline, text, place.anchor) }));
}

/** @type {(at: [number, number], mark: Mark, label: Label | undefined) => SVGElement[]} */
function triangle([x, y], { kind, hover }, label) {
  const node = svg("path", {
    class: `student ${kind}`,
    d: `M${x} ${y - TRIANGLE}l${TRIANGLE} ${1.8 * TRIANGLE}h${-2 * TRIANGLE}z`,
  });
  node.append(svg("title", {}, hover));
  if (!label) return [node];
  const text = svg("text", { class: `student-label ${kind} ${label.anchor}`, y: label.baseline });
  for (const [index, line] of label.text.split("<br>").entries()) {
    text.append(svg("tspan", { x: label.x, dy: index && SPACING }, line));
  }
  return [node, text];
}
