// @ts-check
// The upload panel: supported files, upload progress and result.
//
// The kernel requests each chunk, so that messages do not queue up. Attribute for tests:
//   .upload[data-step]       the step that Python sent: chunk, busy, target, done, failed or idle

import { h, setText } from "./dom.js";

/** @import { Channel } from "./channel.js" */
/** @import { Labels, UploadMessage, UploadTexts } from "./types" */

/** @type {("dragenter" | "dragover" | "dragleave" | "drop")[]} */
const DRAG_EVENTS = ["dragenter", "dragover", "dragleave", "drop"];

export class Upload {
  /** @type {UploadTexts | undefined} */ texts;
  /** @type {File | null} */ file = null;
  /** @type {HTMLInputElement} */ input;
  /** @type {HTMLElement} */ drop;
  /** @type {HTMLElement} */ intro;
  /** @type {HTMLElement} */ operation;
  /** @type {HTMLProgressElement} */ bar;
  /** @type {HTMLSelectElement} */ columns;
  /** @type {HTMLElement} */ target;
  /** @type {HTMLElement} */ work;
  /** @type {HTMLElement} */ result;
  /** @type {HTMLElement} */ summary;

  /** @param {Channel} channel */
  constructor(channel) {
    this.channel = channel;
    this.number = 0; // of the newest file; messages about older ones are ignored
    this.node = h("details", { className: "menu upload", "data-step": "idle" });
    channel.on("upload", (message) => message.number === this.number && this.show(message));
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    /** @param {Event} event */
    this.onOutside = ({ target }) => {
      if (target instanceof Node && !this.node.contains(target) && !this.busy) this.node.open = false;
    };
    document.addEventListener("pointerdown", this.onOutside);
    this.node.addEventListener("toggle", () => {
      if (!this.node.open && this.node.dataset.step === "done") this.show({ step: "idle" }); // the result was seen
    });
  }

  // Builds the panel once: a running upload stays when the page is rebuilt for another model.
  /** @type {(labels: Labels, upload: UploadTexts) => void} */
  build(labels, upload) {
    if (this.texts) return;
    this.texts = upload;
    this.input = h("input", {
      type: "file",
      accept: upload.accept,
      "aria-label": upload.drop,
      onchange: () => {
        this.send(this.input.files?.[0]);
        this.input.value = ""; // allows choosing the same file again
      },
    });
    this.drop = h("label", { className: "drop" }, this.input, h("span", { text: upload.drop }));
    for (const name of DRAG_EVENTS) this.drop.addEventListener(name, (event) => this.onDrag(event));
    this.intro = h(
      "div",
      { className: "intro" },
      h("dl", {}, ...upload.kinds.flatMap((kind) => [h("dt", { text: kind.label }), h("dd", { text: kind.help })])),
      this.drop,
      h("p", { className: "privacy", text: upload.privacy }),
    );
    this.operation = h("span", { className: "operation" });
    this.bar = h("progress", { max: 1, "aria-label": upload.button });
    this.columns = h("select", { "aria-label": upload.target });
    this.target = h(
      "div",
      { className: "target", hidden: true },
      h("span", { text: upload.target }),
      this.columns,
      h("button", { type: "button", className: "primary small", text: upload.train, onclick: () => this.train() }),
    );
    this.work = h(
      "div",
      { className: "work", hidden: true },
      this.operation,
      this.bar,
      this.target,
      h("button", {
        type: "button",
        className: "quiet small",
        text: labels.cancel,
        onclick: () => this.channel.act("upload_cancel"),
      }),
    );
    this.result = h("p", { className: "result", role: "status" });
    this.summary = h("summary", { className: "quiet", text: upload.button });
    this.node.append(this.summary, h("div", { className: "menu-list" }, this.result, this.work, this.intro));
  }

  get busy() {
    return ["chunk", "busy", "target"].includes(this.node.dataset.step ?? "");
  }

  close() {
    this.node.open = false;
    this.summary.focus();
  }

  /** @param {DragEvent} event */
  onDrag(event) {
    event.preventDefault(); // otherwise the browser opens the file instead of the page
    this.drop.classList.toggle("over", event.type === "dragenter" || event.type === "dragover");
    if (event.type === "drop") this.send(event.dataTransfer?.files[0]);
  }

  /** @param {File | undefined} file */
  send(file) {
    if (!file) return;
    this.number += 1;
    this.file = file;
    this.channel.act("upload", { number: this.number, file: file.name, size: file.size });
  }

  /** @type {(offset: number) => Promise<void>} */
  async sendChunk(offset) {
    const { file, number, texts } = this;
    if (!file || !texts) return;
    this.showWork(
      texts.sending.replace("{name}", () => file.name),
      offset / file.size,
    );
    const chunk = await file
      .slice(offset, offset + texts.chunk_bytes)
      .arrayBuffer()
      .catch(() => null);
    if (number !== this.number || !this.busy) return;
    this.channel.act("upload_chunk", { number }, chunk ? [chunk] : []); // empty if it cannot be read
  }

  train() {
    this.channel.act("upload_target", { number: this.number, target: this.columns.selectedIndex });
  }

  /** @param {UploadMessage} message */
  show(message) {
    const { step } = message;
    this.node.dataset.step = step;
    this.intro.hidden = this.busy || step === "done";
    this.work.hidden = !this.busy;
    this.target.hidden = step !== "target";
    this.bar.hidden = step === "target";
    setText(this.result, step === "done" || step === "failed" ? message.text || "" : "");
    if (step === "chunk") this.sendChunk(message.offset);
    if (step === "busy") this.showWork(message.text, message.fraction);
    if (step === "target") {
      setText(this.operation, message.text);
      this.columns.replaceChildren(...message.columns.map((name) => h("option", { text: name })));
      this.columns.selectedIndex = message.selected;
      this.columns.focus();
    }
    if (!this.busy) this.file = null;
  }

  /** @type {(text: string, fraction?: number | null) => void} */
  showWork(text, fraction) {
    setText(this.operation, text);
    if (typeof fraction === "number") this.bar.value = fraction;
    else this.bar.removeAttribute("value");
  }

  clear() {
    document.removeEventListener("pointerdown", this.onOutside);
  }
}
