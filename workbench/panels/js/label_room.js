// @ts-check
// Labels of points. Python places them for the plot of a phone; this module places them again for the plot that is
// shown, so that they cover neither each other nor points and lines at any width. A label without room is left out:
// its point shows it when pointed at.

import { crosses, obstaclesOf, placesIn, radiusOf } from "./obstacles.js";
import { boxAt, collide, inTwoLines, overlap, sizeOf } from "./text_boxes.js";

/** @import { Frame, Place, Places, Segment } from "./obstacles.js" */
/** @import { Box } from "./text_boxes.js" */
/** @import { Annotation, PlotlyFigure, Trace } from "./types" */
/** @typedef {{ text: string, side: string }} Placed */

const LABEL_LINE = 17; // px of a line
const TOUCH = 2; // px by which a label may reach into the box of a point
const CLEARANCE = 2; // px from a label to a line
const MARK_COST = 10; // how much worse it is to cover a point than a line
const OWN_LINE = -2; // px, so that the text of a limit may touch its line
const APART = 24; // px between the texts of two limits in a line, so that they are not read as one
const GRIP_ROOM = 14; // px at the right end of a line for the grip of a limit
const BORDER = 1; // px that plotly leaves around an annotation
const NO_LABEL = " "; // plotly.js never draws a label again that was empty once
const LABEL_SIDES = ["top center", "bottom center", "middle left", "middle right"];
const STEPS = [0, 1, 2, 3]; // lines by which the text of a limit may move up
const CORNERS = ["top right", "top left", "bottom right", "bottom left"];

class Room {
  /** @type {Box[]} */ labels = [];

  /**
   * @param {Box} inside
   * @param {Box[]} marks
   * @param {Segment[]} lines
   */
  constructor(inside, marks, lines) {
    this.inside = inside;
    this.marks = marks;
    this.lines = lines;
  }

  // Labels of lists may use the margin above the plot; the others keep away from the buttons there.
  /** @type {(box: Box, important: boolean) => boolean} */
  isInside({ left, right, top, bottom }, important) {
    const { inside } = this;
    const highest = important ? inside.top : 0;
    return left >= inside.left && right <= inside.right && top >= highest && bottom <= inside.bottom;
  }

  /** @type {(box: Box) => boolean} */
  coversLabel(box) {
    return this.labels.some((other) => collide(box, other));
  }

  /** @type {(box: Box) => boolean} */
  coversMark(box) {
    return this.marks.some((other) => overlap(box, other, TOUCH));
  }

  // Whether a line other than its own crosses the text of a limit.
  /** @param {Box} box */
  isCrossed(box) {
    return this.lines.some((line) => crosses(box, line, OWN_LINE));
  }

  // How bad it is to write there, 0 where no point and no line is.
  /** @param {Box} box */
  costOf(box) {
    const marks = this.marks.filter((other) => overlap(box, other, TOUCH)).length;
    return MARK_COST * marks + this.lines.filter((line) => crosses(box, line, CLEARANCE)).length;
  }

  // The first side on which a label has room, in two lines if need be, or no text if none has. An important label may
  // cover lines and points, so that it stays inside; if it is too long for that, it leaves the plot.
  /** @type {(at: Place, radius: number, text: string, sides: string[], important: boolean) => Placed} */
  choose([x, y], radius, text, sides, important) {
    const boxes = [text, inTwoLines(text)]
      .flatMap((text) => [...sides, ...(important ? CORNERS : [])].map((side) => ({ text, side })))
      .map((placed) => ({ ...placed, box: boxAt(x, y, placed.text, placed.side, radius) }))
      .filter(({ box }) => !this.coversLabel(box));
    const inside = boxes
      .filter(({ box }) => this.isInside(box, important))
      .map((placed) => ({ ...placed, cost: this.costOf(placed.box) }))
      .sort((one, other) => one.cost - other.cost);
    const [chosen] = important ? [...inside, ...boxes] : inside.filter(({ cost }) => cost === 0);
    if (chosen) this.labels.push(chosen.box);
    return chosen ?? { text: NO_LABEL, side: sides[0] };
  }
}

/**
 * Returns the traces and annotations for a chart of this size. Labels keep the side that they have, move to another
 * one, or are left out, so that they overlap neither `taken` nor each other. Figures without labels, or with axes
 * whose ends are not known, are returned unchanged.
 * @param {Trace[]} data
 * @param {PlotlyFigure["layout"]} layout
 * @param {Frame} frame
 * @param {Box[]} taken
 * @returns {{ data: Trace[], annotations: Annotation[], labels: Box[] }}   `labels` are the boxes of all texts and grips
 */
export function withLabels(data, layout, frame, taken = []) {
  const { annotations = [] } = layout;
  const places = placesIn(layout, frame);
  if (!places || !data.some(hasLabels)) return { data, annotations, labels: [] };
  const { marks, lines, grips } = obstaclesOf(data, layout, frame);
  const inside = { left: frame.left, right: frame.width, top: frame.top, bottom: frame.height - frame.bottom };
  const room = new Room(inside, marks, lines);
  room.labels.push(...taken, ...grips);
  /** @type {(trace: Trace) => Trace} */
  const place = (trace) => {
    const important = isSingle(trace);
    const radius = radiusOf(trace);
    const placed = places.points(trace).map((at, index) => {
      const wanted = listed(trace.textposition, index) ?? LABEL_SIDES[0];
      const label = textOfPoint(trace, index);
      if (!label) return { text: NO_LABEL, side: wanted };
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
  const grip = layout.meta?.limits ? GRIP_ROOM : 0;
  const kept = withNotes(annotations, room, grip, (note) => boxOfNote(note, places, frame));
  const placed = data.map((trace) => singles.get(trace) ?? (hasLabels(trace) ? place(trace) : trace));
  return { data: placed, annotations: kept, labels: room.labels.slice(taken.length) };
}

// The annotations that have room, each in the first of its places that is clear of labels, points and lines; if
// none is, of labels and points.
/** @type {(annotations: Annotation[], room: Room, grip: number, boxOf: (note: Annotation) => Box) => Annotation[]} */
function withNotes(annotations, room, grip, boxOf) {
  /** @type {Box[]} */
  const others = [];
  return annotations.flatMap((note) => {
    const free = variantsOf(note, grip)
      .map((moved) => ({ moved, box: boxOf(moved) }))
      .filter(({ box }) => !room.coversLabel(box) && !others.some((other) => overlap(box, other)));
    const clear = free.filter(({ box }) => !room.coversMark(box));
    const chosen = clear.find(({ box }) => !room.isCrossed(box)) ?? clear[0];
    if (!chosen) return [];
    room.labels.push(chosen.box);
    others.push({ ...chosen.box, left: chosen.box.left - APART, right: chosen.box.right + APART });
    return [chosen.moved];
  });
}

const OTHER_SIDE = { left: "right", right: "left", top: "bottom", bottom: "top" };

// The places of a text, the one that it has first. The text of a limit may stand on the other side of its line; that
// of a size may move up, and that of a metric to the other end of the line, at the right next to the grip.
/** @type {(note: Annotation, grip: number) => Annotation[]} */
function variantsOf(note, grip) {
  const { x, xanchor, xref, xshift = 0, yanchor, yref, yshift = 0 } = note;
  if (xref === "paper" && yref === "paper") return [note];
  if (yref === "paper") {
    const sides = [note, { ...note, xanchor: otherSide(xanchor), xshift: -xshift }];
    return STEPS.flatMap((step) => sides.map((side) => ({ ...side, yshift: yshift + step * LABEL_LINE })));
  }
  if (xref !== "paper") return [note];
  return [note, { ...note, x: 1 - x, xanchor: otherSide(xanchor) }]
    .map((end) => (end.x === 1 && grip ? { ...end, xshift: -grip } : end))
    .flatMap((end) => [end, { ...end, yanchor: otherSide(yanchor) }]);
}

/** @param {string | undefined} side */
function otherSide(side) {
  return OTHER_SIDE[/** @type {keyof typeof OTHER_SIDE} */ (side)];
}

// Texts without points, as in lists, are no labels: they have their places.
/** @param {Trace} trace */
function hasLabels({ mode, text }) {
  return Boolean(mode?.includes("markers") && mode.includes("text") && text);
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

/** @type {(note: Annotation, places: Places, frame: Frame) => Box} */
function boxOfNote(note, { across, up }, frame) {
  const text = sizeOf(note.text);
  const [width, height] = [text.width + 2 * BORDER, text.height + 2 * BORDER];
  const plot = { width: frame.width - frame.left - frame.right, height: frame.height - frame.top - frame.bottom };
  const x = (note.xref === "paper" ? frame.left + note.x * plot.width : across(note.x)) + (note.xshift ?? 0);
  const y = (note.yref === "paper" ? frame.top + (1 - note.y) * plot.height : up(note.y)) - (note.yshift ?? 0);
  const left = note.xanchor === "left" ? x : note.xanchor === "right" ? x - width : x - width / 2;
  const top = note.yanchor === "top" ? y : note.yanchor === "bottom" ? y - height : y - height / 2;
  return { left, right: left + width, top, bottom: top + height };
}
