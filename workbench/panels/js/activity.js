// @ts-check
// The line above a tab that says what runs, how far it is, and what can be done about it.

import { buttonRow } from "./buttons.js";
import { h, setText } from "./dom.js";

/** @import { Channel } from "./channel.js" */
/** @import { ActivityLine, Labels } from "./types" */

export class Activity {
  /** @param {Channel} channel */
  constructor(channel) {
    this.channel = channel;
    this.text = h("span", { role: "status" });
    this.bar = h("progress", { max: 1 });
    this.buttons = h("span");
    this.node = h("div", { className: "activity", hidden: true }, this.text, this.bar, this.buttons);
    this.description = ""; // of the buttons that are shown
  }

  /** @param {Labels} labels */
  build(labels) {
    this.bar.setAttribute("aria-label", labels.results);
    this.cancel = labels.cancel;
    this.description = "";
  }

  /** @param {ActivityLine | null | undefined} line */
  show(line) {
    this.node.hidden = !line;
    if (!line) return;
    const works = line.tone === "working";
    this.node.dataset.tone = line.tone;
    this.node.dataset.job = (works && line.job) || ""; // whose progress bar is not shown as well
    setText(this.text, line.text);
    this.bar.hidden = !works;
    if (typeof line.fraction === "number") this.bar.value = line.fraction;
    else this.bar.removeAttribute("value");
    const buttons = works ? [{ act: "cancel", job: line.job, text: this.cancel ?? "" }] : (line.buttons ?? []);
    const description = JSON.stringify(buttons);
    if (description === this.description) return; // keeps the focus
    this.description = description;
    const focused = this.buttons.contains(document.activeElement);
    this.buttons.replaceChildren(buttonRow(buttons, this.channel));
    if (focused) this.buttons.querySelector("button")?.focus();
  }
}
