// @ts-check
// The check of pictures: classes with their counts, the size to learn from, and files that are not used.

import { checkbox, Question, Rows, showText, Warnings } from "./check_parts.js";
import { h, setText, uniqueId } from "./dom.js";

/** @import { CheckedClass, CheckedPictures, Labels, PictureChoices } from "./types" */

export class CheckPictures {
  /**
   * @param {Labels} labels
   * @param {(choices: PictureChoices) => void} onChange
   */
  constructor(labels, onChange) {
    this.labels = labels;
    this.onChange = onChange;
    /** @type {PictureChoices} */
    this.choices = { leave_out: [] };
    this.level = new Question(labels.level, (level) => this.change({ level, leave_out: [] }));
    this.size = new Question(labels.size, (size) => this.change({ size }));
    this.warnings = new Warnings(labels, () => {});
    this.leaveRare = checkbox(labels.rare_pictures, (leave_out_rare) => this.change({ leave_out_rare }));
    this.given = h("p", { className: "unit" });
    this.ignoredTitle = h("h3", { text: labels.ignored });
    this.ignored = h("ul", { className: "ignored" });
    this.rows = new Rows(
      (item) => this.row(item),
      (/** @type {CheckedClass} */ item) => item.name,
    );
    this.head = h("tr", { role: "row" });
    this.node = h(
      "div",
      { className: "check-body" },
      h(
        "div",
        { className: "check-side" },
        this.size.node,
        this.level.node,
        this.warnings.node,
        this.leaveRare.node,
        this.given,
        this.ignoredTitle,
        this.ignored,
      ),
      this.list(),
    );
  }

  list() {
    const title = h("h3", { id: uniqueId(), text: this.labels.classes });
    const table = h(
      "table",
      { role: "table", className: "classes", "aria-labelledby": title.id },
      h("thead", { role: "rowgroup" }, this.head),
      this.rows.node,
    );
    return h(
      "div",
      { className: "check-list" },
      h("div", { className: "check-list-head" }, title),
      h("div", { className: "scroll", role: "region", tabIndex: 0, "aria-labelledby": title.id }, table),
    );
  }

  /** @param {Partial<PictureChoices>} choices */
  change(choices) {
    this.choices = { ...this.choices, ...choices };
    this.onChange(this.choices);
  }

  /** @param {CheckedPictures} pictures */
  show(pictures) {
    this.choices = { ...this.choices, leave_out: pictures.leave_out };
    this.size.show(pictures.sizes, pictures.size);
    this.level.show(pictures.levels, pictures.level);
    this.level.node.hidden = pictures.levels.length < 2;
    this.warnings.show(pictures.warnings);
    this.leaveRare.input.checked = pictures.leave_out_rare;
    this.leaveRare.node.hidden = !pictures.any_rare && !pictures.leave_out_rare;
    showText(this.given, pictures.given_splits);
    this.ignored.replaceChildren(
      ...pictures.ignored.map(({ count, reason, examples }) =>
        h("li", {}, h("strong", { text: count }), ` ${reason}`, h("span", { className: "unit", text: examples })),
      ),
    );
    this.ignoredTitle.hidden = !pictures.ignored.length;
    this.heads = [this.labels.use, this.labels.class, this.labels.pictures, ...pictures.splits];
    this.head.replaceChildren(...this.heads.map((text) => h("th", { scope: "col", role: "columnheader", text })));
    this.rows.show(pictures.classes);
  }

  /** @param {CheckedClass} first */
  row({ name, splits }) {
    /** @type {HTMLInputElement} */
    const input = h("input", {
      type: "checkbox",
      "aria-label": `${this.labels.use}: ${name}`,
      onchange: () => {
        const others = this.choices.leave_out.filter((known) => known !== name);
        this.change({ leave_out: input.checked ? others : [...others, name] });
      },
    });
    const numbers = ["", ...splits].map(() => h("td", { role: "cell", className: "number" }));
    const node = h(
      "tr",
      { role: "row" },
      h("td", { role: "cell" }, input),
      h("th", { scope: "row", role: "rowheader", className: "column-name", text: name, title: name }),
      ...numbers,
    );
    /** @param {CheckedClass} item */
    const update = (item) => {
      input.checked = item.used;
      input.disabled = !item.can_change;
      node.classList.toggle("unused", !item.used);
      for (const [index, text] of [item.count, ...item.splits].entries()) setText(numbers[index], text);
    };
    return { node, update };
  }
}
