// @ts-check
// What to do with a file that was downloaded: it stays next to the download button until it is closed
// or another file is on the screen.

import { h, setText } from "./dom.js";
import { copyButton } from "./export.js";

/** @import { Context, Labels, Messages } from "./types" */

export class Saved {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.code = "";
    this.selected = ""; // the model and the recipe of the file
    this.name = h("h3");
    this.text = h("p", { role: "status" });
    this.lines = h("pre", { tabIndex: 0 });
    this.note = h("p", { className: "unit" });
    this.node = h("section", { className: "panel saved", hidden: true });
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  /** @param {Labels} labels */
  build(labels) {
    const { status } = this.context;
    this.node.setAttribute("aria-label", labels.saved);
    this.node.replaceChildren(
      h(
        "div",
        { className: "text-head" },
        this.name,
        h("button", { type: "button", className: "quiet small", text: labels.close, onclick: () => this.close() }),
      ),
      this.text,
      h(
        "div",
        { className: "text-head" },
        h("p", { text: labels.run }),
        copyButton(labels, () => this.code, status, "quiet small"),
      ),
      this.lines,
      this.note,
      h("p", { text: labels.run_elsewhere }),
    );
  }

  /** @param {Messages["saved"]} message */
  show({ name, selected, text, code, note, met }) {
    this.selected = selected;
    this.code = code;
    setText(this.name, name);
    setText(this.text, text);
    this.text.classList.toggle("missed", !met);
    setText(this.lines, code);
    setText(this.note, note ?? "");
    this.note.hidden = !note;
    if (!this.node.hidden) return;
    this.node.hidden = false;
    this.node.scrollIntoView({ block: "nearest" });
  }

  close() {
    this.node.hidden = true;
  }
}
