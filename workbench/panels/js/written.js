// Two texts from the same start, side by side: what they share is paler, and where they part is marked.

import { h } from "./dom.js";

export function writtenTexts({ title, prompt, sides }, tools) {
  const side = ({ head, same, rest }) =>
    h(
      "section",
      {},
      h("h3", { text: head }),
      h(
        "p",
        {},
        h("span", { className: "prompt", text: prompt }),
        h("span", { className: "same", text: same }),
        rest ? h("mark", { text: rest[0] === "\n" ? "↵\n" : rest[0] }) : null,
        h("span", { text: rest.slice(1) }),
      ),
    );
  const head = h("div", { className: "picture-head" }, h("h2", { text: title }), tools);
  return h("div", { className: "written" }, head, h("div", { className: "sides" }, ...sides.map(side)));
}
