// @ts-check
// What a file contains of the user's data: it is shown before the download, which needs another click.

import { h, setText } from "./dom.js";

/** @import { FileContents, Labels } from "./types" */

export class Contents {
  /** @param {() => void} onDownload */
  constructor(onDownload) {
    this.onDownload = onDownload;
    /** @type {FileContents | null} */
    this.contents = null;
    this.text = h("p");
    this.items = h("dl");
    this.scroll = h("div", { className: "contents-scroll", role: "region", tabIndex: 0 }, this.items);
    this.node = h("section", { className: "panel saved contents", hidden: true });
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  /** @type {(labels: Labels, contents: FileContents | null) => void} */
  build(labels, contents) {
    this.contents = contents;
    this.close();
    if (!contents) return;
    this.node.setAttribute("aria-label", labels.contents);
    this.scroll.setAttribute("aria-label", labels.contents_list);
    setText(this.text, contents.text);
    this.items.replaceChildren(
      ...contents.items.flatMap(({ name, values }) => [h("dt", { text: name }), h("dd", { text: values })]),
    );
    this.confirm = h("button", {
      type: "button",
      className: "primary",
      text: labels.download_contents,
      onclick: () => {
        this.close();
        this.onDownload();
      },
    });
    this.node.replaceChildren(
      h(
        "div",
        { className: "text-head" },
        h("h3", { text: labels.contents }),
        h("button", { type: "button", className: "quiet small", text: labels.close, onclick: () => this.close() }),
      ),
      this.text,
      h("details", {}, h("summary", { text: labels.contents_show }), this.scroll),
      h("div", { className: "text-head" }, h("span"), this.confirm),
    );
  }

  // Shows what the file contains; returns false if there is nothing to show.
  show() {
    if (!this.contents) return false;
    this.node.hidden = false;
    this.node.scrollIntoView({ block: "nearest" });
    this.confirm?.focus();
    return true;
  }

  close() {
    this.node.hidden = true;
  }
}
