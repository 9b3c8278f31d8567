// @ts-check
// The row below the picture: tabs, if there are any, and buttons to copy a link, train and download.

import { address, isStandalone } from "./address.js";
import { Contents } from "./contents.js";
import { h } from "./dom.js";
import { copyButton } from "./export.js";
import { Saved } from "./saved.js";

/** @import { Context, Messages, Page, State } from "./types" */

export class Footer {
  /** @type {State | undefined} */ shown;

  /**
   * @param {Context} context
   * @param {HTMLElement[]} tabs
   */
  constructor(context, ...tabs) {
    this.context = context;
    this.buttons = h("div", { className: "export" });
    this.saved = new Saved(context);
    this.contents = new Contents(() => this.download());
    this.node = h("div", { className: "strip" }, ...tabs, this.buttons, this.saved.node, this.contents.node);
  }

  /** @type {(page: Page, ...next: HTMLElement[]) => void} */
  build({ labels, contents }, ...next) {
    const { status } = this.context;
    const link = () => {
      const query = this.shown?.query ?? "";
      return isStandalone() ? new URL(address(query), location.href).href : `?${query}`;
    };
    this.saved.build(labels);
    this.contents.build(labels, contents);
    this.buttons.replaceChildren(
      copyButton(labels, link, status, "quiet", labels.copy_link),
      ...next,
      h("button", {
        type: "button",
        className: "primary",
        "data-tour": "download",
        text: labels.download,
        onclick: () => this.contents.show() || this.download(),
      }),
    );
  }

  download() {
    this.context.channel.act("download");
  }

  /** @param {State} state */
  show(state) {
    this.shown = state;
    if (state.selected !== this.saved.selected) this.saved.close();
  }

  // Of another file than that on the screen, nothing is said.
  /** @param {Messages["saved"]} message */
  showSaved(message) {
    if (message.selected === this.shown?.selected) this.saved.show(message);
  }
}
