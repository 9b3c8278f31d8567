// @ts-check
// The colors of figures. Python draws a figure for one theme; after a change of theme, the page shows it in the
// colors of the other one at once, also without a kernel.

/** @import { PlotlyFigure } from "./types" */

const NAMES = "ground panel line field ink muted accent on-accent soft past shade bad bad-ground good".split(" ");
const CATEGORIES = [0, 1, 2, 3, 4, 5].map((number) => `category-${number}`);

const COLOR = /#[\da-f]{6}\b|rgba?\([^)]*\)/g; // also in a shadow

/** @type {Record<string, string[]>} */
const themeColors = {}; // the colors of each theme, once the style sheet is there

// The colors of a theme in the order of these names; the style sheet has them.
/** @type {(theme: string) => string[]} */
function colorsOf(theme) {
  if (themeColors[theme]) return themeColors[theme];
  const sample = document.createElement("div");
  sample.className = "wb";
  sample.dataset.theme = theme;
  document.body.append(sample);
  const style = getComputedStyle(sample);
  const colors = [...NAMES, ...CATEGORIES].map((name) => style.getPropertyValue(`--${name}`).trim());
  sample.remove();
  if (colors[0]) themeColors[theme] = colors;
  return colors;
}

// A figure with each color of one theme replaced by that of the other; the same figure if it has none of the first.
/** @type {(figure: PlotlyFigure, from: string[], to: string[]) => PlotlyFigure} */
export function recolored(figure, from, to) {
  if (!from.includes(figure.layout.font?.color ?? "")) return figure;
  const colors = new Map(from.map((color, index) => [color, to[index]]));
  /** @type {(key: string, value: unknown) => unknown} */
  const replace = (_key, value) =>
    typeof value === "string" ? value.replace(COLOR, (color) => colors.get(color) ?? color) : value;
  return JSON.parse(JSON.stringify(figure, replace));
}

// A figure in the colors of the theme of `root`.
/** @type {(figure: PlotlyFigure, root: HTMLElement | null) => PlotlyFigure} */
export function inTheme(figure, root) {
  const theme = root?.dataset.theme;
  if (theme !== "light" && theme !== "dark") return figure;
  return recolored(figure, colorsOf(theme === "dark" ? "light" : "dark"), colorsOf(theme));
}
