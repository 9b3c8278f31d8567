// What the page says about itself: the banner, and a bar for what takes longer than a second.

import { h, setText } from "./dom.js";

const QUIET = 300; // ms until a busy mark shows
const LONG = 1000; // ms until the bar shows

export class Status {
  constructor(channel, root) {
    this.channel = channel;
    this.root = root;
    this.timers = [];
    this.text = h("span");
    this.banner = h("div", { className: "banner", role: "alert", hidden: true }, this.text);
    this.bar = h("progress", { max: 1 });
    this.doing = h("span");
    this.task = h("div", { className: "task-bar", hidden: true });
  }

  build(words) {
    this.words = words;
    this.close = h("button", {
      type: "button",
      className: "quiet small",
      text: words.close,
      onclick: () => (this.banner.hidden = true),
    });
    this.reload = h("button", {
      type: "button",
      className: "primary small",
      text: words.reload,
      onclick: () => location.reload(),
    });
    this.banner.replaceChildren(this.text, this.reload, this.close);
    this.reload.hidden = true;
    this.bar.setAttribute("aria-label", words.numbers);
    this.task.replaceChildren(
      this.doing,
      this.bar,
      h("button", {
        type: "button",
        className: "quiet small",
        text: words.cancel,
        onclick: () => this.channel.act("cancel"),
      }),
    );
  }

  tell(text, tone = "bad") {
    if (this.offline) return;
    setText(this.text, text || "");
    this.banner.dataset.tone = tone;
    this.banner.hidden = !text;
  }

  goOffline() {
    if (!this.words) return;
    this.tell(this.words.offline);
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
    this.tell("");
  }

  show(state) {
    if (state.error) this.tell(state.error);
    else if (state.note) this.tell(state.note, "note");
    else this.tell("");
    if (this.hasTask) return; // the bar is the task's until it is done
    if (state.busy) this.work(state.seq, state.progress);
    else this.idle();
  }

  // A task's own progress comes and goes by itself.
  showTask(message) {
    this.hasTask = message.text !== null;
    if (this.hasTask) this.work("task", message);
    else this.idle();
  }

  work(what, progress) {
    if (progress) {
      setText(this.doing, progress.text);
      if (typeof progress.share !== "number") this.bar.removeAttribute("value");
      else this.bar.value = progress.share;
    }
    if (this.what === what) return;
    this.idle();
    this.what = what;
    this.timers = [
      setTimeout(() => this.root.classList.add("busy"), QUIET),
      setTimeout(() => (this.task.hidden = false), LONG),
    ];
  }

  idle() {
    this.what = null;
    this.timers.forEach(clearTimeout);
    this.root.classList.remove("busy");
    this.task.hidden = true;
  }
}
