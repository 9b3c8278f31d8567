// @ts-check
// The check of a checkpoint: how many bits its weights get, which tensors are rounded, which stay and why.

import { checkList, Question, Rows, showText, Warnings } from "./check_parts.js";
import { h, setText } from "./dom.js";

/** @import { CheckedCheckpoint, CheckedTensor, CheckpointChoices, Labels } from "./types" */

/** @type {Record<string, (tensor: CheckedTensor) => boolean>} */
const KINDS = {
  all: () => true,
  rounded: ({ used }) => used,
  kept: ({ used }) => !used,
};

export class CheckCheckpoint {
  /** @type {CheckedCheckpoint} */ checkpoint;

  /**
   * @param {Labels} labels
   * @param {(choices: CheckpointChoices) => void} onChange
   */
  constructor(labels, onChange) {
    this.labels = labels;
    this.onChange = onChange;
    /** @type {CheckpointChoices} */
    this.choices = { leave_out: [] };
    this.filter = "all";
    this.bits = new Question(labels.bits, (bits) => this.change({ bits }));
    this.warnings = new Warnings(labels, () => {});
    this.sentences = h("ul", { className: "check-sentences" });
    this.command = h("code", { className: "check-command" });
    this.filters = new Question(labels.show, (filter) => this.show(this.checkpoint, filter));
    this.rows = new Rows(
      (tensor) => this.row(tensor),
      (/** @type {CheckedTensor} */ tensor) => tensor.name,
    );
    this.more = h("p", { className: "unit" });
    this.empty = h("p", { className: "unit", text: labels.none, hidden: true });
    this.node = h(
      "div",
      { className: "check-body" },
      h(
        "div",
        { className: "check-side" },
        this.bits.node,
        this.warnings.node,
        h("h3", { text: labels.command }),
        this.command,
        h("h3", { text: labels.happens }),
        this.sentences,
      ),
      this.list(),
    );
  }

  list() {
    const { labels, rows, filters } = this;
    const heads = [labels.rounded, labels.tensor, labels.tensor_type, labels.tensor_size, labels.tensor_note];
    return checkList({ title: labels.tensors, heads, rows, filters, className: "tensors" }, this.empty, this.more);
  }

  /** @param {Partial<CheckpointChoices>} choices */
  change(choices) {
    this.choices = { ...this.choices, ...choices };
    this.onChange(this.choices);
  }

  /** @param {CheckedCheckpoint} checkpoint */
  show(checkpoint, filter = this.filter) {
    this.checkpoint = checkpoint;
    this.filter = filter;
    this.choices = { bits: checkpoint.bits, leave_out: checkpoint.leave_out };
    this.bits.show(checkpoint.bits_choices, checkpoint.bits);
    this.warnings.show(checkpoint.warnings);
    this.sentences.replaceChildren(...checkpoint.sentences.map((text) => h("li", { text })));
    setText(this.command, checkpoint.command);
    this.filters.show(
      Object.keys(KINDS).map((key) => ({ value: key, label: `${this.labels[key]} (${checkpoint.counts[key]})` })),
      filter,
    );
    const matching = checkpoint.tensors.filter(KINDS[filter]);
    this.rows.show(matching);
    this.empty.hidden = matching.length > 0;
    showText(this.more, checkpoint.more);
  }

  /** @param {CheckedTensor} first */
  row({ name, type, size }) {
    /** @type {HTMLInputElement} */
    const input = h("input", {
      type: "checkbox",
      "aria-label": `${this.labels.rounded}: ${name}`,
      onchange: () => {
        const others = this.choices.leave_out.filter((known) => known !== name);
        this.change({ leave_out: input.checked ? others : [...others, name] });
      },
    });
    const note = h("td", { role: "cell", className: "column-note" });
    const node = h(
      "tr",
      { role: "row" },
      h("td", { role: "cell" }, input),
      h("th", { scope: "row", role: "rowheader", className: "column-name", text: name, title: name }),
      h("td", { role: "cell", className: "column-type", text: type }),
      h("td", { role: "cell", className: "column-size", text: size }),
      note,
    );
    /** @param {CheckedTensor} tensor */
    const update = (tensor) => {
      input.checked = tensor.used;
      input.disabled = !tensor.can_change;
      setText(note, tensor.note);
    };
    return { node, update };
  }
}
