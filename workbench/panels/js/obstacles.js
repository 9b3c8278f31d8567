// @ts-check
// What labels of a chart are not to cover, in px: its points, the lines of its traces and the limits of its goal.

import { MARKER } from "./text_boxes.js";

/** @import { Box } from "./text_boxes.js" */
/** @import { PlotlyFigure, Trace } from "./types" */
/** @typedef {Box & { width: number, height: number }} Frame   the size of the chart and its margins in px */
/** @typedef {(place: number) => number} Scale   from a place on an axis to px; one outside is at the end of the axis */
/** @typedef {[number, number]} Place */
/** @typedef {[Place, Place]} Segment */
/** @typedef {{ across: Scale, up: Scale, points: (trace: Trace) => Place[] }} Places */

const POINT_EDGE = 1; // px of the edge of a point
const GRIP = { half: 5, outside: 4, inside: 12 }; // px of the grip of a limit, at the top or at the right of the plot

// The boxes of points with these radii.
/** @type {(points: Place[], radius: (index: number) => number) => Box[]} */
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
  return (index) => (Array.isArray(size) ? size[index] : (size ?? 2 * MARKER)) / 2;
}

/** @type {(axis: any, start: number, end: number) => Scale | null} */
function scaleOf(axis, start, end) {
  if (!axis?.range) return null;
  const [low, high] = axis.range;
  return (place) => start + Math.max(0, Math.min(1, (place - low) / (high - low))) * (end - start);
}

/** @type {(axis: any, value: number) => number} */
const onAxis = (axis, value) => (axis.type === "log" ? Math.log10(value) : value);

// Where the values of a figure are, or null if the ends of its axes are not known.
/** @type {(layout: PlotlyFigure["layout"], frame: Frame) => Places | null} */
export function placesIn({ xaxis, yaxis }, frame) {
  const across = scaleOf(xaxis, frame.left, frame.width - frame.right);
  const up = scaleOf(yaxis, frame.height - frame.bottom, frame.top);
  if (!across || !up) return null;
  /** @type {(x: number, y: number) => Place} */
  const at = (x, y) => [across(onAxis(xaxis, x)), up(onAxis(yaxis, y))];
  return { across, up, points: ({ x = [], y = [] }) => x.map((value, index) => at(value, y[index])) };
}

// The lines between the points of a trace; with the shape "hv", each goes across first, then up or down.
/** @type {(points: Place[], shape: string | undefined) => Segment[]} */
export function segmentsOf(points, shape) {
  return points.slice(1).flatMap((end, index) => {
    const start = points[index];
    /** @type {Place[]} */
    const stops = shape === "hv" ? [start, [end[0], start[1]], end] : [start, end];
    return stops.slice(1).map((stop, place) => /** @type {Segment} */ ([stops[place], stop]));
  });
}

/** @typedef {{ marks: Box[], lines: Segment[], grips: Box[] }} Obstacles */

// The points, the lines and the grips of a figure. Faint lines are none: labels may cover them.
/** @type {(data: Trace[], layout: PlotlyFigure["layout"], frame: Frame) => Obstacles} */
export function obstaclesOf(data, layout, frame) {
  const places = placesIn(layout, frame);
  if (!places) return { marks: [], lines: [], grips: [] };
  const { across, up, points } = places;
  const marked = data.filter(({ mode }) => mode?.includes("markers"));
  const lined = data.filter(({ mode }) => mode?.includes("lines"));
  const { xaxis, yaxis, shapes = [] } = layout;
  const ends = { x: [frame.left, frame.width - frame.right], y: [frame.height - frame.bottom, frame.top] };
  const limits = shapes
    .filter(({ type, opacity }) => type === "line" && (opacity ?? 1) === 1)
    .map(({ x0, x1, y0, y1, xref, yref }) => {
      /** @type {(x: any, y: any) => Place} */
      const end = (x, y) => [
        xref === "paper" ? ends.x[x] : across(onAxis(xaxis, x)),
        yref === "paper" ? ends.y[y] : up(onAxis(yaxis, y)),
      ];
      return /** @type {Segment} */ ([end(x0, y0), end(x1, y1)]);
    });
  return {
    marks: marked.flatMap((trace) => boxesOf(points(trace), radiusOf(trace))),
    lines: [...lined.flatMap((trace) => segmentsOf(points(trace), trace.line?.shape)), ...limits],
    grips: layout.meta?.limits ? limits.map((limit) => gripOf(limit, frame)) : [],
  };
}

/** @type {(limit: Segment, frame: Frame) => Box} */
function gripOf([[x0, y0], [x1]], { width, right, top }) {
  const { half, outside, inside } = GRIP;
  const edge = width - right;
  if (x0 === x1) return { left: x0 - half, right: x0 + half, top: top - outside, bottom: top + inside };
  return { left: edge - inside, right: edge + outside, top: y0 - half, bottom: y0 + half };
}

// Whether a line comes nearer to a box than `gap` px.
/** @type {(box: Box, segment: Segment, gap: number) => boolean} */
export function crosses({ left, right, top, bottom }, [[x0, y0], [x1, y1]], gap) {
  let [enter, leave] = [0, 1]; // the share of the line where it is inside the edges that were looked at
  for (const [start, end, low, high] of [
    [x0, x1, left - gap, right + gap],
    [y0, y1, top - gap, bottom + gap],
  ]) {
    if (start === end) {
      if (start <= low || start >= high) return false;
      continue;
    }
    const shares = [(low - start) / (end - start), (high - start) / (end - start)].sort((one, other) => one - other);
    enter = Math.max(enter, shares[0]);
    leave = Math.min(leave, shares[1]);
  }
  return enter < leave;
}
