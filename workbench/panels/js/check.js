// @ts-check
// The screen between an upload and training or compression: what was read, what may be changed, and the
// button that starts. Every change goes to Python, which inspects the data again; only the newest answer is shown.
// While a screen is open, JupyterLab's shortcuts for cells do not act on its keys.
//
// Attribute for tests:
//   .check[data-edit]        the number of the change that the screen shows

import { CheckCheckpoint } from "./check_checkpoint.js";
import { showText } from "./check_parts.js";
import { CheckPictures } from "./check_pictures.js";
import { CheckTable } from "./check_table.js";
import { h, setText, uniqueId } from "./dom.js";

/** @import { Channel } from "./channel.js" */
/** @import { CheckMessage, Labels } from "./types" */

const FIRST = /** @type {"select"} */ ("select, input:checked"); // what has the focus at first

export class Check {
  /** @type {Labels} */ labels;
  /** @type {HTMLButtonElement} */ train;
  /** @type {CheckTable | CheckPictures | CheckCheckpoint | null} */ content = null;
  number = 0; // of the file
  edit = 0; // the number of the newest change
  summary = ""; // how much of the data is used

  /** @param {Channel} channel */
  constructor(channel) {
    this.channel = channel;
    this.title = h("h2", { id: uniqueId() });
    this.facts = h("p", { className: "unit" });
    this.body = h("div", { className: "check-content" });
    this.error = h("p", { className: "check-error", role: "alert" });
    this.used = h("p", { className: "check-used", role: "status" });
    this.bar = h("progress", { max: 1, hidden: true });
    this.node = h("dialog", {
      className: "check panel",
      "aria-labelledby": this.title.id,
    });
    this.node.addEventListener("cancel", (event) => {
      event.preventDefault(); // Python answers, with a cancelled training or a closed screen
      this.cancel();
    });
  }

  /** @param {Labels} labels */
  build(labels) {
    this.labels = labels;
    this.bar.setAttribute("aria-label", labels.train);
    this.train = h("button", {
      type: "button",
      className: "primary",
      text: labels.train,
      onclick: () => this.channel.act("upload_train", { number: this.number }),
    });
    const cancel = h("button", {
      type: "button",
      className: "quiet",
      text: labels.cancel,
      onclick: () => this.cancel(),
    });
    this.node.replaceChildren(
      h("div", { className: "check-head" }, this.title, this.facts),
      this.body,
      h("div", { className: "check-foot" }, this.error, this.used, this.bar, cancel, this.train),
    );
  }

  cancel() {
    this.channel.act("upload_cancel");
  }

  /** @param {CheckMessage} message */
  show(message) {
    if (this.node.open && this.number === message.number && message.edit < this.edit) return; // an older answer
    if (this.number !== message.number) this.start(message);
    const { checkpoint } = message;
    const checked = message.table ?? message.pictures ?? checkpoint;
    if (message.table && this.content instanceof CheckTable) this.content.show(message.table);
    if (message.pictures && this.content instanceof CheckPictures) this.content.show(message.pictures);
    if (checkpoint && this.content instanceof CheckCheckpoint) this.content.show(checkpoint);
    if (checked) {
      setText(this.title, `${this.labels.title}: ${checked.file}`);
      setText(this.facts, checked.facts.join(" · "));
      this.summary = checked.used;
    }
    this.setWorking(false);
    const error = message.error || checkpoint?.problem || "";
    showText(this.error, error);
    showText(this.used, error ? "" : this.summary);
    this.train.disabled = Boolean(error);
    this.node.dataset.edit = String(message.edit);
    if (this.node.open) return;
    this.node.showModal();
    this.body.querySelector(FIRST)?.focus();
  }

  // Begins with the content of another file.
  /** @param {CheckMessage} message */
  start(message) {
    this.number = message.number ?? 0;
    this.edit = message.edit;
    /** @param {object} choices */
    const onChange = (choices) => {
      this.edit += 1;
      this.error.hidden = true;
      showText(this.used, this.labels.reading);
      this.channel.act("upload_check", { number: this.number, edit: this.edit, choices });
    };
    const Content = message.table ? CheckTable : message.pictures ? CheckPictures : CheckCheckpoint;
    this.content = new Content(this.labels, onChange);
    setText(this.train, message.checkpoint ? this.labels.compress : this.labels.train);
    this.body.replaceChildren(this.content.node);
  }

  // Shows the progress of training.
  /** @type {(text: string, fraction?: number | null) => void} */
  work(text, fraction) {
    this.setWorking(true);
    showText(this.error, "");
    showText(this.used, text);
    if (typeof fraction === "number") this.bar.value = fraction;
    else this.bar.removeAttribute("value");
  }

  /** @param {boolean} working */
  setWorking(working) {
    this.bar.hidden = !working;
    this.train.hidden = working;
    this.body.inert = working;
  }

  // The choices of the user, to offer them again after a reload.
  get choices() {
    return this.content?.choices ?? {};
  }

  close() {
    if (this.node.open) this.node.close();
    this.content = null;
    this.number = 0;
    this.body.replaceChildren();
  }
}
