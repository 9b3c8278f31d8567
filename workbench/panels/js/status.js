// @ts-check
// The banner, and the progress bar for operations longer than a second.

import { h, setText } from "./dom.js";
import { Operations } from "./operations.js";

/** @import { Channel } from "./channel.js" */
/** @import { Labels, MissingModel, OperationMessage, Progress, State } from "./types" */

const SPINNER_DELAY = 300; // ms until the spinner shows
const BAR_DELAY = 1000; // ms until the progress bar shows

/** @type {(timers: ReturnType<typeof setTimeout>[]) => void} */
const clearTimers = (timers) => {
  for (const timer of timers) clearTimeout(timer);
};

// Moves the focus to the open page, so that the keyboard goes on there when the focused line disappears.
/** @type {(root: HTMLElement) => void} */
const focusPage = (root) => {
  const page = /** @type {HTMLElement | null} */ (root.querySelector(".page:not([hidden])"));
  if (!page) return;
  page.tabIndex = -1;
  page.focus({ preventScroll: true });
};

export class Status {
  /** @type {Labels} */ labels;
  /** @type {HTMLButtonElement} */ close;
  /** @type {HTMLButtonElement} */ reload;
  /** @type {HTMLButtonElement} */ upload;
  /** @type {(model: string) => void} */ onUpload = () => {}; // called to upload the file of a model again
  missing = ""; // the model whose file the banner asks for

  /**
   * @param {Channel} channel
   * @param {HTMLElement} root
   */
  constructor(channel, root) {
    this.channel = channel;
    this.root = root;
    /** @type {ReturnType<typeof setTimeout>[]} */
    this.timers = [];
    this.offline = false;
    this.operations = new Operations();
    /** @type {State | undefined} */
    this.shown = undefined; // the newest state
    /** @type {number | "operation" | null} */
    this.operation = null; // what the progress bar shows: a measurement by its sequence number, or another
    this.job = ""; // what its button cancels
    this.text = h("span");
    this.banner = h("div", { className: "banner", role: "alert", hidden: true }, this.text);
    this.bar = h("progress", { max: 1 });
    this.barText = h("span");
    this.cancel = h("button", {
      type: "button",
      className: "quiet small",
      onclick: () => channel.act("cancel", { job: this.job }),
    });
    this.progress = h("div", { className: "progress-bar", hidden: true }, this.barText, this.bar, this.cancel);
  }

  /** @param {Labels} labels */
  build(labels) {
    this.labels = labels;
    this.close = h("button", {
      type: "button",
      className: "quiet small",
      text: labels.close,
      onclick: () => {
        this.channel.act(this.missing ? "forget_missing" : "close_message");
        this.banner.hidden = true;
      },
    });
    this.reload = h("button", {
      type: "button",
      className: "primary small",
      text: labels.reload,
      onclick: () => location.reload(),
    });
    this.upload = h("button", {
      type: "button",
      className: "primary small",
      onclick: () => this.onUpload(this.missing),
    });
    this.banner.replaceChildren(this.text, this.reload, this.close);
    this.reload.hidden = true;
    this.bar.setAttribute("aria-label", labels.results);
    setText(this.cancel, labels.cancel); // the same button, so that it keeps the focus
  }

  /** @type {(text: string | null, tone?: "bad" | "note" | "good") => void} */
  showMessage(text, tone = "bad") {
    if (this.offline) return;
    this.missing = "";
    this.upload.remove();
    setText(this.text, text || "");
    this.banner.dataset.tone = tone;
    this.banner.hidden = !text;
  }

  // Asks for the file of a model that is no longer in memory.
  /** @param {MissingModel} missing */
  showMissing({ model, text, button }) {
    this.showMessage(text, "note");
    this.missing = model;
    setText(this.upload, button);
    if (button) this.text.after(this.upload);
  }

  goOffline() {
    if (!this.labels) return;
    this.showMessage(this.labels.offline);
    this.offline = true;
    this.reload.hidden = false;
    this.close.hidden = true;
    this.idle();
    this.root.dataset.offline = "true";
  }

  goOnline() {
    if (!this.offline) return;
    this.offline = false;
    this.reload.hidden = true;
    this.close.hidden = false;
    delete this.root.dataset.offline;
    this.showMessage("");
  }

  /** @param {State} state */
  show(state) {
    if (state.error) this.showMessage(state.error);
    else if (state.missing) this.showMissing(state.missing);
    else if (state.note) this.showMessage(state.note, "note");
    else this.showMessage("");
    this.shown = state;
    this.showWork();
  }

  // Takes the progress of an operation other than the measurement.
  /** @param {OperationMessage} message */
  showProgress(message) {
    this.operations.update(message);
    this.showWork();
  }

  // Shows the newest operation; if there is none, the measurement.
  showWork() {
    const operation = this.operations.newest;
    if (operation?.text) this.work("operation", { ...operation, text: operation.text }, operation.job);
    else if (this.shown?.busy) this.work(this.shown.seq, this.shown.progress, "measurement");
    else this.idle();
  }

  /** @type {(operation: number | "operation", progress: Progress | null, job: string) => void} */
  work(operation, progress, job) {
    this.job = job;
    this.progress.dataset.job = job;
    if (progress) {
      setText(this.barText, progress.text);
      if (typeof progress.fraction !== "number") this.bar.removeAttribute("value");
      else this.bar.value = progress.fraction;
    }
    if (this.operation === operation) return;
    // A line with the focus stays.
    if (this.progress.contains(document.activeElement)) clearTimers(this.timers);
    else this.idle();
    this.operation = operation;
    this.timers = [
      setTimeout(() => this.root.classList.add("busy"), SPINNER_DELAY),
      setTimeout(() => {
        this.progress.hidden = false;
      }, BAR_DELAY),
    ];
  }

  idle() {
    this.operation = null;
    clearTimers(this.timers);
    this.root.classList.remove("busy");
    if (this.progress.contains(document.activeElement)) focusPage(this.root);
    this.progress.hidden = true;
  }
}
