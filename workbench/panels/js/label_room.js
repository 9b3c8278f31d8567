// @ts-check
// Labels of points. Python places them for the plot of a phone; this module places them again for the plot that is
// shown, so that none overlap at any width. A label without room is left out: its point shows it when pointed at.

/** @import { Annotation, PlotlyFigure, Trace } from "./types" */
/** @typedef {{ left: number, right: number, top: number, bottom: number }} Box   in px of the chart */
/** @typedef {Box & { width: number, height: number }} Frame   the size of the chart and its margins in px */
/** @typedef {(value: number) => number} Scale */
/** @typedef {{ text: string, side: string }} Placed */

const CHARACTER = 7.2; // px of a letter, where no browser measures
const FONT = "13px system-ui, sans-serif"; // the widest of all labels
const LABEL_LINE = 17; // px of a line
const POINT_RADIUS = 9; // px from the center of a point to its edge
const TOUCH = 2; // px of two boxes that touch
const LINE = 4; // px from the center of a line to where labels may begin
const LABEL_SIDES = ["top center", "bottom center", "middle left", "middle right"];
const STEPS = [0, 1, 2, 3]; // lines by which the text of a limit may move up
const CORNERS = ["top right", "top left"];

/** @type {(one: Box, other: Box) => boolean} */
export function overlap(one, other) {
  const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const up = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  return across > TOUCH && up > TOUCH;
}

// The box of a label on a side of a point; plotly names the sides.
/** @type {(x: number, y: number, text: string, side: string, mark?: number) => Box} */
export function boxAt(x, y, text, side, mark = POINT_RADIUS) {
  const { width, height } = sizeOf(text);
  const [upright, across] = side.split(" ");
  const left = across === "left" ? x - mark - width : across === "right" ? x + mark : x - width / 2;
  const top = upright === "top" ? y - mark - height : upright === "bottom" ? y + mark : y - height / 2;
  return { left, right: left + width, top, bottom: top + height };
}

/** @param {string} text */
function sizeOf(text) {
  const lines = text.split("<br>");
  return { width: Math.max(...lines.map(widthOf)), height: LABEL_LINE * lines.length };
}

/** @type {CanvasRenderingContext2D | null} */
let canvas = null;

/** @type {(line: string) => number} */
function widthOf(line) {
  if (typeof document === "undefined") return CHARACTER * line.length;
  canvas ??= document.createElement("canvas").getContext("2d");
  if (!canvas) return CHARACTER * line.length;
  canvas.font = FONT;
  return canvas.measureText(line).width;
}

// The boxes of the points of a trace.
/** @param {[number, number][]} points */
export function boxesOf(points) {
  return points.map(([x, y]) => ({
    left: x - POINT_RADIUS,
    right: x + POINT_RADIUS,
    top: y - POINT_RADIUS,
    bottom: y + POINT_RADIUS,
  }));
}

// From values on an axis to px, or null if its ends are not known. Points outside the axes stay at their ends.
/** @type {(axis: any, start: number, end: number) => Scale | null} */
function scaleOf(axis, start, end) {
  if (!axis?.range) return null;
  const [low, high] = axis.range;
  return (value) => start + Math.max(0, Math.min(1, (value - low) / (high - low))) * (end - start);
}

/** @type {(axis: any, value: number) => number} */
const onAxis = (axis, value) => (axis.type === "log" ? Math.log10(value) : value);

class Room {
  /** @type {Box[]} */ marks = []; // points and lines
  /** @type {Box[]} */ labels = [];

  /** @param {Box} inside */
  constructor(inside) {
    this.inside = inside;
  }

  /** @type {(box: Box) => boolean} */
  isInside({ left, right, top, bottom }) {
    const { inside } = this;
    return left >= inside.left && right <= inside.right && top >= inside.top && bottom <= inside.bottom;
  }

  /** @type {(box: Box) => boolean} */
  coversLabel(box) {
    return this.labels.some((other) => overlap(box, other));
  }

  /** @type {(box: Box) => boolean} */
  isFree(box) {
    return this.isInside(box) && !this.coversLabel(box) && !this.marks.some((other) => overlap(box, other));
  }

  // The first side on which a label has room, or no text if none has. An important label may cover points and
  // lines, and have two lines, so that it stays inside; if it is too long for that, it leaves the plot.
  /** @type {(x: number, y: number, text: string, sides: string[], important: boolean) => Placed} */
  choose(x, y, text, sides, important) {
    const boxes = (important ? [text, inTwoLines(text)] : [text]).map((text) =>
      [...sides, ...(important ? CORNERS : [])].map((side) => ({ text, side, box: boxAt(x, y, text, side) })),
    );
    const outside = important ? boxes[0].filter(({ box }) => !this.coversLabel(box)) : [];
    const inside = boxes.flatMap((placed) => [
      ...placed.filter(({ box }) => this.isFree(box)),
      ...placed.filter(({ box }) => important && this.isInside(box) && !this.coversLabel(box)),
    ]);
    const [chosen] = [...inside, ...outside];
    if (chosen) this.labels.push(chosen.box);
    return chosen ?? { text: "", side: sides[0] };
  }
}

// Breaks a label at the space that is nearest to its middle.
/** @param {string} text */
function inTwoLines(text) {
  const middle = text.length / 2;
  const spaces = [...text.matchAll(/ /g)].map(({ index }) => index);
  const [place] = spaces.sort((one, other) => Math.abs(one - middle) - Math.abs(other - middle));
  return place === undefined ? text : `${text.slice(0, place)}<br>${text.slice(place + 1)}`;
}

/**
 * Returns the traces and annotations for a chart of this size. Labels keep the side that they have, move to another
 * one, or are left out, so that they overlap neither `taken` nor each other. Figures without labels, or with axes
 * whose ends are not known, are returned unchanged.
 * @param {Trace[]} data
 * @param {PlotlyFigure["layout"]} layout
 * @param {Frame} frame
 * @param {Box[]} taken
 * @returns {{ data: Trace[], annotations: Annotation[] }}
 */
export function withLabels(data, layout, frame, taken = []) {
  const { xaxis, yaxis, annotations = [], shapes = [] } = layout;
  const across = scaleOf(xaxis, frame.left, frame.width - frame.right);
  const up = scaleOf(yaxis, frame.height - frame.bottom, frame.top);
  if (!across || !up || !data.some(hasLabels)) return { data, annotations };
  /** @type {(trace: Trace) => [number, number][]} */
  const points = ({ x = [], y = [] }) =>
    x.map((value, index) => [across(onAxis(xaxis, value)), up(onAxis(yaxis, y[index]))]);
  const room = new Room({ left: frame.left, right: frame.width, top: 0, bottom: frame.height - frame.bottom });
  room.labels.push(...taken);
  for (const trace of data.filter(({ mode }) => mode?.includes("markers"))) {
    room.marks.push(...boxesOf(points(trace)));
  }
  /** @type {(trace: Trace) => Trace} */
  const place = (trace) => {
    const important = isSingle(trace);
    const placed = points(trace).map(([x, y], index) => {
      const wanted = listed(trace.textposition, index) ?? LABEL_SIDES[0];
      const label = textOfPoint(trace, index);
      return label ? room.choose(x, y, label, [wanted, ...LABEL_SIDES], important) : { text: "", side: wanted };
    });
    return { ...trace, text: placed.map(({ text }) => text), textposition: placed.map(({ side }) => side) };
  };
  // The order of importance: single points such as the original, the limits of the goal, and lists such as presets.
  const singles = new Map(
    data
      .filter(hasLabels)
      .filter(isSingle)
      .map((trace) => [trace, place(trace)]),
  );
  const kept = annotations.flatMap((note) => {
    const heights = note.yref === "paper" && note.y === 0 ? STEPS : [0]; // a limit of the size has room above
    const notes = heights.map((step) => (step ? { ...note, yshift: (note.yshift ?? 0) + step * LABEL_LINE } : note));
    const free = notes.find((moved) => !room.coversLabel(boxOfNote(moved, across, up, frame)));
    if (free) room.labels.push(boxOfNote(free, across, up, frame));
    return free ? [free] : [];
  });
  for (const shape of shapes) {
    if (shape.type !== "line" || (shape.opacity ?? 1) < 1) continue; // labels may cover faint lines
    /** @type {(value: any, ref: string | undefined, axis: any, scale: Scale) => number} */
    const at = (value, ref, axis, scale) => (ref === "paper" ? scale(axis.range[value]) : scale(onAxis(axis, value)));
    const xs = [shape.x0, shape.x1].map((value) => at(value, shape.xref, xaxis, across));
    const ys = [shape.y0, shape.y1].map((value) => at(value, shape.yref, yaxis, up));
    room.marks.push({
      left: Math.min(...xs) - LINE,
      right: Math.max(...xs) + LINE,
      top: Math.min(...ys) - LINE,
      bottom: Math.max(...ys) + LINE,
    });
  }
  return {
    data: data.map((trace) => singles.get(trace) ?? (hasLabels(trace) ? place(trace) : trace)),
    annotations: kept,
  };
}

/** @param {Trace} trace */
function hasLabels({ mode, text }) {
  return Boolean(mode?.includes("text") && text);
}

/** @param {Trace} trace */
function isSingle({ x }) {
  return x?.length === 1;
}

/** @type {(values: string | string[] | undefined, index: number) => string | undefined} */
const listed = (values, index) => (Array.isArray(values) ? values[index] : values);

// A label that has no room in the plot of a phone stands in the data of its point.
/** @type {(trace: Trace, index: number) => string} */
const textOfPoint = ({ text, customdata }, index) => listed(text, index) || customdata?.[index]?.label || "";

/** @type {(note: Annotation, across: Scale, up: Scale, frame: Frame) => Box} */
function boxOfNote(note, across, up, frame) {
  const { width, height } = sizeOf(note.text);
  const plot = { width: frame.width - frame.left - frame.right, height: frame.height - frame.top - frame.bottom };
  const x = (note.xref === "paper" ? frame.left + note.x * plot.width : across(note.x)) + (note.xshift ?? 0);
  const y = (note.yref === "paper" ? frame.top + (1 - note.y) * plot.height : up(note.y)) - (note.yshift ?? 0);
  const left = note.xanchor === "left" ? x : note.xanchor === "right" ? x - width : x - width / 2;
  const top = note.yanchor === "top" ? y : note.yanchor === "bottom" ? y - height : y - height / 2;
  return { left, right: left + width, top, bottom: top + height };
}
