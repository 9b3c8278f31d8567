// @ts-check
// Two texts for the same prompt, side by side: their common prefix is gray, and the first character
// that differs is marked.

import { h } from "./dom.js";

/** @import { Generation } from "./types" */

/** @type {(generation: Generation, tools: HTMLElement) => HTMLElement} */
export function generatedTexts({ title, prompt, sides }, tools) {
  /** @type {(side: Generation["sides"][number]) => HTMLElement} */
  const side = ({ head, common, rest }) =>
    h(
      "section",
      {},
      h("h3", { text: head }),
      h(
        "p",
        {},
        h("span", { className: "prompt", text: prompt }),
        h("span", { className: "common", text: common }),
        rest ? h("mark", { text: rest[0] === "\n" ? "↵\n" : rest[0] }) : null,
        h("span", { text: rest.slice(1) }),
      ),
    );
  const head = h("div", { className: "chart-head" }, h("h2", { text: title }), tools);
  return h("div", { className: "generation" }, head, h("div", { className: "sides" }, ...sides.map(side)));
}
