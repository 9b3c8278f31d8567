// @ts-check
// The screen on which the user tries the compressed model: the values of one row are typed and answered
// at once, or a file of rows or pictures is read, whose predictions can be saved.

import { classBars, showText } from "./check_parts.js";
import { h, setText, uniqueId } from "./dom.js";

/** @import { Channel } from "./channel.js" */
/** @import { Predictions, TrialField, TrialTexts } from "./types" */

const TYPING_DELAY = 250; // ms without a key before the row is predicted

export class Trial {
  /** @type {TrialTexts | null} */ texts = null;
  /** @type {HTMLButtonElement | undefined} */ save;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ typing;
  number = 0; // of the newest row

  /**
   * @param {Channel} channel
   * @param {(file: File | undefined) => void} onFile
   */
  constructor(channel, onFile) {
    this.channel = channel;
    this.onFile = onFile;
    this.title = h("h2", { id: uniqueId() });
    this.help = h("p", { className: "unit" });
    this.fields = h("div", { className: "trial-fields" });
    this.label = h("p", { className: "unit" });
    this.answer = h("p", { className: "trial-answer", role: "status" });
    this.agreement = h("p");
    this.bars = h("ul", { className: "class-bars" });
    this.notes = h("ul", { className: "check-warnings" });
    this.table = h("table");
    this.scroll = h("div", { className: "scroll", role: "region", tabIndex: 0 }, this.table);
    this.more = h("p", { className: "unit" });
    this.error = h("p", { className: "check-error", role: "alert", hidden: true });
    this.node = h("dialog", {
      className: "check trial panel",
      "aria-labelledby": this.title.id,
    });
    this.node.addEventListener("close", () => channel.act("upload_cancel"));
    channel.on("predictions", (message) => this.show(message));
  }

  // Builds the screen for the selected model, which may have none.
  /** @param {TrialTexts | null} texts */
  build(texts) {
    this.texts = texts;
    if (this.node.open) this.node.close();
    if (!texts) return;
    setText(this.title, texts.title);
    showText(this.help, texts.fields.length ? texts.help : "");
    setText(this.label, texts.answer);
    this.scroll.setAttribute("aria-label", texts.answer);
    this.fields.replaceChildren(...texts.fields.map((field) => this.field(field)));
    /** @type {HTMLInputElement} */
    const input = h("input", {
      type: "file",
      accept: texts.accept,
      "aria-label": texts.drop,
      onchange: () => {
        this.read(input.files?.[0]);
        input.value = "";
      },
    });
    const drop = h("label", { className: "drop" }, input, h("span", { text: texts.drop }));
    drop.addEventListener("dragover", (event) => event.preventDefault());
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      this.read(event.dataTransfer?.files[0]);
    });
    this.save = h("button", {
      type: "button",
      className: "quiet",
      text: texts.save,
      onclick: () => this.channel.act("save_predictions"),
    });
    this.node.replaceChildren(
      h("div", { className: "check-head" }, this.title, this.help),
      h(
        "div",
        { className: "check-content" },
        h(
          "div",
          { className: "trial-body" },
          h(
            "div",
            { className: "trial-input" },
            this.fields,
            texts.fields.length ? h("p", { className: "unit", text: texts.or }) : null,
            drop,
          ),
          h(
            "div",
            { className: "trial-output" },
            this.label,
            this.answer,
            this.agreement,
            this.bars,
            this.notes,
            this.scroll,
            this.more,
          ),
        ),
      ),
      h(
        "div",
        { className: "check-foot" },
        this.error,
        this.save,
        h("button", { type: "button", className: "primary", text: texts.close, onclick: () => this.node.close() }),
      ),
    );
  }

  /** @param {TrialField} field */
  field({ name, type, value, choices }) {
    const list = choices.length
      ? h("datalist", { id: uniqueId() }, ...choices.map((choice) => h("option", { value: choice })))
      : null;
    const input = h("input", {
      type: "text",
      value,
      maxLength: 10_000,
      autocomplete: "off",
      "data-name": name,
      oninput: () => this.type(),
    });
    if (list) input.setAttribute("list", list.id);
    return h(
      "label",
      {},
      h("span", { className: "column-name", text: name, title: name }),
      h("span", { className: "unit", text: type }),
      input,
      list,
    );
  }

  open() {
    if (!this.texts) return;
    this.clear();
    this.node.showModal();
    if (this.texts.fields.length) this.predict();
  }

  type() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.predict(), TYPING_DELAY);
  }

  predict() {
    this.number += 1;
    const inputs = [...this.fields.querySelectorAll("input")];
    const values = Object.fromEntries(inputs.map((input) => [input.dataset.name, input.value]));
    this.channel.act("try_values", { number: this.number, values });
  }

  // Reads a file instead of the values: an answer to them that comes later is not shown.
  /** @param {File | undefined} file */
  read(file) {
    clearTimeout(this.typing);
    this.number += 1;
    this.onFile(file);
  }

  // Shows what happens to a file that was chosen.
  /** @type {(text: string, failed?: boolean) => void} */
  work(text, failed = false) {
    showText(this.error, failed ? text : "");
    if (failed) return;
    this.clear();
    setText(this.answer, text);
  }

  /** @param {Predictions} message */
  show({ number, answer, agreement, classes, notes, head, rows, more }) {
    if (!this.texts || (number !== null && number < this.number)) return; // an older answer
    showText(this.error, "");
    setText(this.answer, answer);
    showText(this.agreement, agreement);
    this.bars.replaceChildren(...classBars(classes));
    this.notes.replaceChildren(...notes.map((text) => h("li", { text })));
    this.scroll.hidden = !rows.length;
    this.table.replaceChildren(
      h("thead", {}, h("tr", {}, ...[this.texts.line, ...head].map((text) => h("th", { scope: "col", text })))),
      h(
        "tbody",
        {},
        ...rows.map(({ source, cells }) =>
          h("tr", {}, h("th", { scope: "row", text: source }), ...cells.map((text) => h("td", { text }))),
        ),
      ),
    );
    showText(this.more, more);
    if (this.save) this.save.hidden = false;
  }

  clear() {
    showText(this.error, "");
    setText(this.answer, "");
    for (const node of [this.bars, this.notes, this.table]) node.replaceChildren();
    for (const node of [this.agreement, this.scroll, this.more]) node.hidden = true;
    if (this.save) this.save.hidden = true;
  }
}
