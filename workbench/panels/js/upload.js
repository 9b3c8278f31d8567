// @ts-check
// The upload panel: supported files, upload progress and result, and the models made of earlier files.
//
// The kernel requests each chunk, so that messages do not queue up. Attribute for tests:
//   .upload[data-step]       the step that Python sent: chunk, busy, check, done, failed or idle

import { Check } from "./check.js";
import { h, setText } from "./dom.js";
import { LearnedFigures } from "./learned.js";
import { Trial } from "./trial.js";
import { fileOf, rememberFile } from "./uploaded_files.js";

/** @import { Channel } from "./channel.js" */
/** @import { Labels, UploadedModel, UploadMessage, UploadTexts } from "./types" */

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
  /** @type {HTMLElement} */ work;
  /** @type {HTMLElement} */ result;
  /** @type {HTMLElement} */ summary;
  /** @type {UploadedModel[]} */ models = [];
  /** @type {object | null} */ earlier = null; // choices for the next file, made before a reload

  /** @param {Channel} channel */
  constructor(channel) {
    this.channel = channel;
    this.number = 0; // of the newest file; messages about older ones are ignored
    this.check = new Check(channel);
    this.learned = new LearnedFigures(channel);
    this.trial = new Trial(channel, (file) => this.tryFile(file));
    this.isTrial = false; // whether the newest file is one that the model is tried on
    this.list = h("div", { className: "uploaded", hidden: true });
    this.node = h("details", { className: "menu upload", "data-step": "idle" });
    channel.on("upload", (message) => message.number === this.number && this.show(message));
    channel.on("learned", (message) => this.learned.show(message));
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

  // The screens over the page.
  get dialogs() {
    return [this.check.node, this.learned.node, this.trial.node];
  }

  // Builds the panel once: a running upload stays when the page is rebuilt for another model.
  /** @type {(labels: Labels, upload: UploadTexts) => void} */
  build(labels, upload) {
    this.showModels(upload);
    if (this.texts) return;
    this.texts = upload;
    this.check.build(upload.check);
    this.learned.build(upload.learned);
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
    this.work = h(
      "div",
      { className: "work", hidden: true },
      this.operation,
      this.bar,
      h("button", {
        type: "button",
        className: "quiet small",
        text: labels.cancel,
        onclick: () => this.channel.act("upload_cancel"),
      }),
    );
    this.result = h("p", { className: "result", role: "status" });
    this.summary = h("summary", { className: "quiet", text: upload.button });
    this.node.append(this.summary, h("div", { className: "menu-list" }, this.result, this.work, this.list, this.intro));
  }

  // The models of the user's files, with buttons that show their figures and remove them.
  /** @param {UploadTexts} upload */
  showModels({ learned, models }) {
    this.models = models;
    this.list.hidden = !models.length;
    /** @type {(text: string, act: string, model: UploadedModel) => HTMLElement} */
    const button = (text, act, { name, title }) =>
      h("button", {
        type: "button",
        className: "quiet small",
        text,
        "aria-label": `${text}: ${title}`,
        onclick: () => this.channel.act(act, { key: name }),
      });
    this.list.replaceChildren(
      h("h2", { text: learned.models }),
      h(
        "ul",
        {},
        ...models.map((model) =>
          h(
            "li",
            {},
            h("span", { className: "file", text: model.title, title: model.file }),
            model.figures ? button(learned.details, "show_learned", model) : null,
            button(learned.close_model, "remove_model", model),
          ),
        ),
      ),
    );
  }

  get busy() {
    return ["chunk", "busy", "check"].includes(this.node.dataset.step ?? "");
  }

  // Opens the panel and the file chooser for the file of a model that a reload has ended.
  /** @param {string} model */
  again(model) {
    this.earlier = fileOf(model)?.choices ?? null;
    this.node.open = true;
    this.input.click();
  }

  // Whether the end of the kernel loses the user's models or an upload.
  get losesData() {
    return this.busy || this.models.length > 0;
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
    this.isTrial = false;
    this.file = file;
    const { number, earlier: choices } = this;
    this.earlier = null;
    this.channel.act("upload", { number, file: file.name, size: file.size, choices });
  }

  // Sends a file that the current model predicts from.
  /** @param {File | undefined} file */
  tryFile(file) {
    if (!file) return;
    this.number += 1;
    this.isTrial = true;
    this.file = file;
    this.channel.act("try_file", { number: this.number, file: file.name, size: file.size });
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
    if (number !== this.number || !(this.busy || this.isTrial)) return;
    this.channel.act("upload_chunk", { number }, chunk ? [chunk] : []); // empty if it cannot be read
  }

  /** @param {UploadMessage} message */
  show(message) {
    const { step } = message;
    if (this.isTrial) return this.showTrial(message);
    if (step === "done" && message.model && this.file) rememberFile(message.model, this.file.name, this.check.choices);
    this.node.dataset.step = step;
    this.intro.hidden = this.busy || step === "done";
    this.work.hidden = !this.busy;
    setText(this.result, step === "done" || step === "failed" ? message.text || "" : "");
    if (step === "chunk") this.sendChunk(message.offset);
    if (step === "busy") this.showWork(message.text, message.fraction);
    if (step === "check") this.check.show(message);
    if (this.busy) return;
    this.file = null;
    this.check.close();
    if (step === "failed") this.node.open = true; // shows the reason
    if (step === "done" && message.learned) this.node.open = false; // its figures follow
  }

  // Shows the progress of a file that the model is tried on; its predictions are a message of their own.
  /** @param {UploadMessage} message */
  showTrial(message) {
    if (message.step === "chunk") this.sendChunk(message.offset);
    if (message.step === "busy") this.trial.work(message.text);
    if (message.step === "failed") this.trial.work(message.text ?? "", true);
  }

  /** @type {(text: string, fraction?: number | null) => void} */
  showWork(text, fraction) {
    if (this.isTrial) return this.trial.work(text);
    if (this.check.node.open) this.check.work(text, fraction);
    setText(this.operation, text);
    if (typeof fraction === "number") this.bar.value = fraction;
    else this.bar.removeAttribute("value");
  }

  clear() {
    document.removeEventListener("pointerdown", this.onOutside);
  }
}
