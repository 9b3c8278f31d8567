// @ts-check
// The buttons below the picture: copy a link, train, download.

import { address, isStandalone } from "./address.js";
import { h } from "./dom.js";
import { copyButton } from "./export.js";

/** @import { Context, Labels, State } from "./types" */

export class Footer {
  /** @type {State | undefined} */ shown;

  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.node = h("div", { className: "export" });
  }

  /** @type {(labels: Labels, next?: HTMLElement) => void} */
  build(labels, next) {
    const { channel, status } = this.context;
    const link = () => {
      const query = this.shown?.query ?? "";
      return isStandalone() ? new URL(address(query), location.href).href : `?${query}`;
    };
    this.node.replaceChildren(
      copyButton(labels, link, status, "quiet", labels.copy_link),
      ...(next ? [next] : []),
      h("button", {
        type: "button",
        className: "primary",
        "data-tour": "download",
        text: labels.download,
        onclick: () => channel.act("download"),
      }),
    );
  }

  /** @param {State} state */
  show(state) {
    this.shown = state;
  }
}
