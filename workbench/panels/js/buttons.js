// @ts-check
// A row of buttons above the content of a tab; each requests an action from Python.

import { h } from "./dom.js";

/** @import { Channel } from "./channel.js" */
/** @import { ActionButton } from "./types" */

/** @type {(buttons: ActionButton[], channel: Channel) => HTMLElement} */
export function buttonRow(buttons, channel) {
  return h(
    "div",
    { className: "button-row" },
    ...buttons.map(({ act, text, ...details }) =>
      h("button", { type: "button", className: "quiet small", text, onclick: () => channel.act(act, details) }),
    ),
  );
}
