// @ts-check
// Labels of points. Python places them for the plot of a phone; this module places them again for the plot that is
// shown, so that none overlap at any width. A label without room is left out: its point shows it when pointed at.

import { boxAt, collide, overlap, sizeOf } from "./text_boxes.js";

/** @import { Box } from "./text_boxes.js" */
/** @import { Annotation, PlotlyFigure, Trace } from "./types" */
/** @typedef {Box & { width: number, height: number }} Frame   the size of the chart and its margins in px */
/** @typedef {(value: number) => number} Scale */
/** @typedef {{ text: string, side: string }} Placed */

const LABEL_LINE = 17; // px of a line
const TOUCH = 2; // px by which a label may reach into the box of a point
const POINT_EDGE = 1; // px of the edge of a point
const MARKER_SIZE = 6; // px of plotly's marker without a size
const BORDER = 1; // px that plotly leaves around an annotation
const LINE = 4; // px from the center of a line to where labels may begin
const LABEL_SIDES = ["top center", "bottom center", "middle left", "middle right"];
const STEPS = [0, 1, 2, 3]; // lines by which the text of a limit may move up
const CORNERS = ["top right", "top left"];

// The boxes of points with these radii.
/** @type {(points: [number, number][], radius: (index: number) => number) => Box[]} */
export function boxesOf(points, radius) {
  return points.map(([x, y], index) => {
    const around = radius(index) + POINT_EDGE;
    return { left: x - around, right: x + around, top: y - around, bottom: y + around };
  });
}

// The radii of the points of a trace.
/** @type {(trace: Trace) => (index: number) => number} */
export function radiusOf({ marker }) {
  const size = marker?.size;
  return (index) => (Array.isArray(size) ? size[index] : (size ?? MARKER_SIZE)) / 2;
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
    return this.labels.some((other) => collide(box, other));
  }

  /** @type {(box: Box) => boolean} */
  isFree(box) {
    return this.isInside(box) && !this.coversLabel(box) && !this.marks.some((other) => overlap(box, other, TOUCH));
  }

  // The first side on which a label has room, or no text if none has. An important label may cover points and
  // lines, and have two lines, so that it stays inside; if it is too long for that, it leaves the plot.
  /** @type {(at: [number, number], radius: number, text: string, sides: string[], important: boolean) => Placed} */
  choose([x, y], radius, text, sides, important) {
    const boxes = (important ? [text, inTwoLines(text)] : [text]).map((text) =>
      [...sides, ...(important ? CORNERS : [])].map((side) => ({ text, side, box: boxAt(x, y, text, side, radius) })),
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
 * @returns {{ data: Trace[], annotations: Annotation[], labels: Box[] }}   `labels` are the boxes of all texts
 */
export function withLabels(data, layout, frame, taken = []) {
  const { xaxis, yaxis, annotations = [], shapes = [] } = layout;
  const across = scaleOf(xaxis, frame.left, frame.width - frame.right);
  const up = scaleOf(yaxis, frame.height - frame.bottom, frame.top);
  if (!across || !up || !data.some(hasLabels)) return { data, annotations, labels: [] };
  /** @type {(trace: Trace) => [number, number][]} */
  const points = ({ x = [], y = [] }) =>
    x.map((value, index) => [across(onAxis(xaxis, value)), up(onAxis(yaxis, y[index]))]);
  const room = new Room({ left: frame.left, right: frame.width, top: 0, bottom: frame.height - frame.bottom });
  room.labels.push(...taken);
  for (const trace of data.filter(({ mode }) => mode?.includes("markers"))) {
    room.marks.push(...boxesOf(points(trace), radiusOf(trace)));
  }
  /** @type {(trace: Trace) => Trace} */
  const place = (trace) => {
    const important = isSingle(trace);
    const radius = radiusOf(trace);
    const placed = points(trace).map((at, index) => {
      const wanted = listed(trace.textposition, index) ?? LABEL_SIDES[0];
      const label = textOfPoint(trace, index);
      if (!label) return { text: "", side: wanted };
      return room.choose(at, radius(index), label, [wanted, ...LABEL_SIDES], important);
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
  const placed = data.map((trace) => singles.get(trace) ?? (hasLabels(trace) ? place(trace) : trace));
  return { data: placed, annotations: kept, labels: room.labels.slice(taken.length) };
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
  const text = sizeOf(note.text);
  const [width, height] = [text.width + 2 * BORDER, text.height + 2 * BORDER];
  const plot = { width: frame.width - frame.left - frame.right, height: frame.height - frame.top - frame.bottom };
  const x = (note.xref === "paper" ? frame.left + note.x * plot.width : across(note.x)) + (note.xshift ?? 0);
  const y = (note.yref === "paper" ? frame.top + (1 - note.y) * plot.height : up(note.y)) - (note.yshift ?? 0);
  const left = note.xanchor === "left" ? x : note.xanchor === "right" ? x - width : x - width / 2;
  const top = note.yanchor === "top" ? y : note.yanchor === "bottom" ? y - height : y - height / 2;
  return { left, right: left + width, top, bottom: top + height };
}
