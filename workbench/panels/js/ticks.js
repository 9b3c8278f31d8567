// @ts-check
// The labels of a logarithmic axis: in a narrow chart only those of every second tick, so that none overlap.

const LABEL_CHARACTER = 7; // px
const LABEL_GAP = 8; // px between two labels

/**
 * Returns the axis with fewer labels if they would overlap on `width` pixels; the lines of all ticks stay.
 * @param {any} axis
 * @param {number} width
 */
export function withRoom(axis, width) {
  if (axis?.type !== "log" || !axis.tickvals || !axis.range) return axis;
  const pixels = width / (axis.range[1] - axis.range[0]);
  /** @type {{ at: number, half: number, text: string }[]} */
  const labels = axis.tickvals.map((/** @type {number} */ value, /** @type {number} */ index) => {
    const text = axis.ticktext[index];
    return { at: Math.log10(value) * pixels, half: (text.length * LABEL_CHARACTER) / 2, text };
  });
  const overlap = labels.some(({ at, half }, index) => {
    const next = labels[index + 1];
    return next && next.at - at < half + next.half + LABEL_GAP;
  });
  if (!overlap) return axis;
  const first = labels.findIndex(({ text }) => text.startsWith("1")); // powers of ten
  const ticktext = labels.map(({ text }, index) => ((index - first) % 2 ? "" : text));
  return { ...axis, ticktext };
}
