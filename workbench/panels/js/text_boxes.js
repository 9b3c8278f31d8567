// @ts-check
// The boxes of texts in a chart, in px. Plotly places labels of points as `boxAt` computes.

/** @typedef {{ left: number, right: number, top: number, bottom: number }} Box */
/** @typedef {{ width: number, ascent: number, descent: number }} Extent   above and below the baseline */

const FONT = "13px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
const FONT_SIZE = 13; // px
const CHARACTER = 7.2; // px of a letter, where no browser measures
const LINES = { ascent: 12.1, descent: 3.1 }; // px, likewise
const LINE_SPACING = 1.3; // of plotly, in font sizes
export const MARKER = 3; // px of plotly's marker without a size, from its center to its edge
export const SPACING = LINE_SPACING * FONT_SIZE; // px from a baseline to the next one
const HALO = 3; // px between two labels in a line: each has an edge that hides lines below it

/** @type {CanvasRenderingContext2D | null} */
let canvas = null;

/** @type {(line: string, weight?: number) => Extent} */
function extentOf(line, weight = 400) {
  if (typeof document !== "undefined") canvas ??= document.createElement("canvas").getContext("2d");
  if (!canvas) return { width: CHARACTER * line.length, ...LINES };
  canvas.font = `${weight} ${FONT}`;
  const { width, fontBoundingBoxAscent, fontBoundingBoxDescent } = canvas.measureText(line);
  return { width, ascent: fontBoundingBoxAscent, descent: fontBoundingBoxDescent };
}

// The size of lines that are separated by <br>.
/** @type {(text: string, weight?: number) => { width: number, height: number, ascent: number }} */
export function sizeOf(text, weight) {
  const lines = text.split("<br>").map((line) => extentOf(line, weight));
  const { ascent, descent } = lines[0];
  const between = SPACING * (lines.length - 1); // the first and the last baseline
  return { width: Math.max(...lines.map(({ width }) => width)), height: ascent + between + descent, ascent };
}

// The box of a label on a side of a point; plotly names the sides. `radius` is that of the point.
/** @type {(x: number, y: number, text: string, side: string, radius?: number) => Box} */
export function boxAt(x, y, text, side, radius = MARKER) {
  const { width, height, ascent } = sizeOf(text);
  const [upright, across] = side.split(" ");
  const gap = radius / 0.8 + 1;
  const left = across === "left" ? x - gap - width : across === "right" ? x + gap : x - width / 2;
  const sign = upright === "top" ? -1 : upright === "bottom" ? 1 : 0;
  const lines = 1 + LINE_SPACING * (text.split("<br>").length - 1);
  const baseline = y + FONT_SIZE * (0.75 + ((sign - 1) * lines) / 2) + sign * gap;
  return { left, right: left + width, top: baseline - ascent, bottom: baseline - ascent + height };
}

// The box of lines in an SVG, which are separated by <br>, from the first baseline and with the anchor of the text.
/** @type {(x: number, baseline: number, text: string, anchor: "start" | "middle" | "end", weight?: number) => Box} */
export function linesBox(x, baseline, text, anchor, weight) {
  const { width, height, ascent } = sizeOf(text, weight);
  const left = anchor === "start" ? x : anchor === "end" ? x - width : x - width / 2;
  return { left, right: left + width, top: baseline - ascent, bottom: baseline - ascent + height };
}

// Breaks a label at the space that is nearest to its middle.
/** @param {string} text */
export function inTwoLines(text) {
  const middle = text.length / 2;
  const spaces = [...text.matchAll(/ /g)].map(({ index }) => index);
  const [place] = spaces.sort((one, other) => Math.abs(one - middle) - Math.abs(other - middle));
  return place === undefined ? text : `${text.slice(0, place)}<br>${text.slice(place + 1)}`;
}

// Whether two boxes share more than `touch` px across and up.
/** @type {(one: Box, other: Box, touch?: number) => boolean} */
export function overlap(one, other, touch = 0) {
  const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const up = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  return across > touch && up > touch;
}

// Whether one of two texts would cover the other, or its halo.
/** @type {(one: Box, other: Box) => boolean} */
export function collide(one, other) {
  return overlap({ ...one, left: one.left - HALO, right: one.right + HALO }, other);
}
