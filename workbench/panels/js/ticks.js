// @ts-check
// The texts around a small chart: fewer labels of the axis, so that none overlap, the title below in several lines, and
// that at the left without explanations, so that it is not cut.

import { sizeOf } from "./text_boxes.js";

/** @import { Trace } from "./types" */

const LABEL_CHARACTER = 7; // px
const LABEL_GAP = 8; // px between two labels
const NAME_GAP = 14; // px from the edge of the chart to a name, and from there to its axis
const LABEL_HEIGHT = 15; // px

/**
 * Returns the axis with fewer labels if they would overlap on `width` pixels: of a logarithmic axis those of the
 * powers of ten, of another one, or where there are fewer than two of these, every second one; and of them every
 * second one until none overlap. The lines of all ticks stay.
 * @param {any} axis
 * @param {number} width
 */
export function withRoom(axis, width) {
  if (!axis?.tickvals || !axis.ticktext || !axis.range) return axis;
  const isLog = axis.type === "log";
  const [low, high] = axis.range;
  /** @type {{ at: number, half: number, index: number }[]} */
  const labels = axis.tickvals
    .map((/** @type {number} */ value, /** @type {number} */ index) => {
      return {
        at: isLog ? Math.log10(value) : value,
        half: (axis.ticktext[index].length * LABEL_CHARACTER) / 2,
        index,
      };
    })
    .filter((/** @type {{ at: number }} */ { at }) => at >= low && at <= high);
  const pixels = width / (high - low);
  /** @param {typeof labels} shown */
  const areClose = (shown) =>
    shown.some(({ at, half }, place) => {
      const next = shown[place + 1];
      return next && (next.at - at) * pixels < half + next.half + LABEL_GAP;
    });
  if (!areClose(labels)) return axis;
  const powers = labels.filter(({ at }) => isLog && Math.abs(at - Math.round(at)) < 1e-9);
  let chosen = powers.length > 1 ? powers : labels.filter((_label, place) => place % 2 === 0);
  while (areClose(chosen)) chosen = chosen.filter((_label, place) => place % 2 === 0);
  const kept = new Set(chosen.map(({ index }) => index));
  const ticktext = axis.ticktext.map((/** @type {string} */ text, /** @type {number} */ index) =>
    kept.has(index) ? text : "",
  );
  return { ...axis, ticktext, tickangle: 0 }; // plotly.js would turn them
}

// The px that an axis of names takes from the chart in addition to its margin; plotly.js makes room for them.
/** @type {(axis: any, data: Trace[]) => number} */
export function widthOfNames(axis, data) {
  if (!axis?.automargin) return 0;
  /** @type {any[]} */
  const names = axis.ticktext ?? data.flatMap(({ y = [] }) => y).filter((value) => typeof value === "string");
  const lengths = names.flatMap((name) => name.split("<br>")).map((line) => line.length);
  return lengths.length && LABEL_CHARACTER * Math.max(...lengths) + NAME_GAP;
}

/**
 * Returns the trace with parallel axes on which no labels overlap. All ticks stay: a dragged range ends at them.
 * @param {Trace} trace
 * @param {number} height - of the axes, in px
 * @returns {Trace}
 */
export function withSpacedTicks(trace, height) {
  if (!trace.dimensions) return trace;
  const dimensions = trace.dimensions.map((axis) => {
    const { range: [low, high] = [0, 1], tickvals = [], ticktext = [] } = axis;
    let free = -Infinity; // above the last label
    const spaced = ticktext.map((text, index) => {
      const place = ((tickvals[index] - low) / (high - low)) * height;
      if (place < free) return "";
      free = place + LABEL_HEIGHT;
      return text;
    });
    return { ...axis, ticktext: spaced };
  });
  return { ...trace, dimensions };
}

/**
 * Returns the words of a title in lines of at most `width` pixels.
 * @param {string} text
 * @param {number} width
 */
export function inLines(text, width) {
  const most = width / LABEL_CHARACTER;
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = lines.length ? `${lines[lines.length - 1]} ${word}` : word;
    if (lines.length && longer.length <= most) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/**
 * Returns the first line of a title, and those of the others that are at most `room` pixels long.
 * @param {string} text - lines that are separated by <br>
 * @param {number} room
 */
export function linesWithin(text, room) {
  const [first, ...others] = text.split("<br>");
  return [first, ...others.filter((line) => sizeOf(line).width <= room)].join("<br>");
}
