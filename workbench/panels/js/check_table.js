// @ts-check
// The check of a table: what to predict, from which columns, and how the file was read.

import { checkbox, checkList, classBars, Question, Rows, showText, Warnings } from "./check_parts.js";
import { h, setText, uniqueId } from "./dom.js";

/** @import { CheckedColumn, CheckedTable, Labels, TableChoices } from "./types" */

const MANY = 15; // from this number of columns on, they can be filtered

/** @type {Record<string, (column: CheckedColumn) => boolean>} */
const FILTERS = {
  all: () => true,
  unused: ({ used }) => !used,
  odd: ({ unreadable }) => unreadable !== "",
};

// Shows the options of a list, which stays open if they are the same.
/** @type {(list: HTMLSelectElement, options: { value: string, label: string }[]) => void} */
function showOptions(list, options) {
  const shown = [...list.options].map(({ value, text }) => `${value}\n${text}`);
  if (shown.join("\n") === options.map(({ value, label }) => `${value}\n${label}`).join("\n")) return;
  list.replaceChildren(...options.map(({ value, label }) => h("option", { value, text: label })));
}

export class CheckTable {
  /** @type {CheckedTable} */ table;
  /** @type {HTMLSelectElement} */ target;
  /** @type {HTMLSelectElement} */ encoding;

  /**
   * @param {Labels} labels
   * @param {(choices: TableChoices) => void} onChange
   */
  constructor(labels, onChange) {
    this.labels = labels;
    this.onChange = onChange;
    /** @type {TableChoices} */
    this.choices = { leave_out: [] };
    this.filter = "all";
    this.target = h("select", {
      id: uniqueId(),
      onchange: () => this.change({ target: this.target.value, as_number: null }),
    });
    this.type = new Question(labels.as, (as_number) => this.change({ as_number }));
    this.header = new Question(labels.first_line, (header) => this.change({ header, target: null, leave_out: [] }));
    this.encoding = h("select", {
      id: uniqueId(),
      onchange: () => this.change({ encoding: this.encoding.value || null, target: null, leave_out: [] }),
    });
    this.encodingNode = h(
      "div",
      { className: "question" },
      h("label", { className: "question-label", htmlFor: this.encoding.id, text: labels.encoding }),
      this.encoding,
    );
    this.missing = new Question(labels.missing_values, (missing) => this.change({ missing }));
    this.warnings = new Warnings(labels, (name) => this.use(name, false));
    this.bars = h("ul", { className: "class-bars", "aria-label": labels.class_counts });
    this.more = h("p", { className: "unit" });
    this.leaveRare = checkbox(labels.rare, (leave_out_rare) => this.change({ leave_out_rare }));
    this.filters = new Question(labels.show, (filter) => this.show(this.table, filter));
    this.rows = new Rows(
      (column) => this.row(column),
      (/** @type {CheckedColumn} */ column) => column.name,
    );
    this.empty = h("p", { className: "unit", text: labels.none, hidden: true });
    this.node = h(
      "div",
      { className: "check-body" },
      h(
        "div",
        { className: "check-side" },
        h(
          "div",
          { className: "check-target" },
          h("label", { htmlFor: this.target.id, text: labels.target }),
          this.target,
          this.type.node,
        ),
        this.warnings.node,
        this.bars,
        this.more,
        this.leaveRare.node,
        this.header.node,
        this.encodingNode,
        this.missing.node,
      ),
      this.list(),
    );
  }

  list() {
    const { labels, rows, filters } = this;
    const heads = [labels.use, labels.column, labels.type, labels.missing, labels.unreadable, labels.note];
    return checkList({ title: labels.columns, heads, rows, filters }, this.empty);
  }

  /** @param {Partial<TableChoices>} choices */
  change(choices) {
    this.choices = { ...this.choices, ...choices };
    this.onChange(this.choices);
  }

  /** @type {(name: string, used: boolean) => void} */
  use(name, used) {
    const others = this.choices.leave_out.filter((known) => known !== name);
    this.change({ leave_out: used ? others : [...others, name] });
  }

  /** @param {CheckedTable} table */
  show(table, filter = this.filter) {
    const { labels } = this;
    this.table = table;
    this.filter = filter;
    this.choices = { ...this.choices, leave_out: table.leave_out };
    this.showTarget(table);
    this.warnings.show(table.warnings);
    this.bars.replaceChildren(...classBars(table.classes));
    this.bars.hidden = !table.classes.length;
    showText(this.more, table.more_classes);
    this.leaveRare.input.checked = table.leave_out_rare;
    this.leaveRare.node.hidden = !table.any_rare && !table.leave_out_rare;
    const lines = [
      { value: true, label: labels.names },
      { value: false, label: labels.data },
    ];
    this.header.show(lines, table.header);
    this.header.node.classList.toggle("unsure", !table.header_is_sure);
    showOptions(this.encoding, table.encodings);
    this.encoding.value = table.encoding;
    const ways = [
      { value: "impute", label: labels.impute },
      { value: "leave_out", label: labels.leave_out },
    ];
    this.missing.show(ways, table.missing);
    this.missing.node.hidden = !table.any_missing;
    this.showColumns(table);
  }

  /** @param {CheckedTable} table */
  showTarget({ target }) {
    showOptions(
      this.target,
      target.names.map((name) => ({ value: name, label: name })),
    );
    this.target.value = target.name;
    const types = [
      ...(target.can_be_classes ? [{ value: false, label: this.labels.classes }] : []),
      ...(target.can_be_number ? [{ value: true, label: this.labels.number }] : []),
    ];
    this.type.show(types, target.as_number);
  }

  /** @param {CheckedTable} table */
  showColumns({ columns, counts }) {
    const { labels } = this;
    this.filters.show(
      Object.keys(FILTERS).map((key) => ({ value: key, label: `${labels[key]} (${counts[key]})` })),
      this.filter,
    );
    this.filters.node.hidden = columns.length < MANY;
    const matching = columns.filter(FILTERS[columns.length < MANY ? "all" : this.filter]);
    this.rows.show(matching);
    this.empty.hidden = matching.length > 0;
  }

  /** @param {CheckedColumn} first */
  row({ name }) {
    /** @type {HTMLInputElement} */
    const input = h("input", {
      type: "checkbox",
      "aria-label": `${this.labels.use}: ${name}`,
      onchange: () => this.use(name, input.checked),
    });
    const label = h("th", { scope: "row", role: "rowheader", className: "column-name", text: name, title: name });
    /** @type {(key: string) => HTMLTableCellElement} */
    const cell = (key) => h("td", { role: "cell", className: `column-${key}`, "data-label": this.labels[key] });
    const [type, missing, unreadable, note] = ["type", "missing", "unreadable", "note"].map(cell);
    const node = h("tr", { role: "row" }, h("td", { role: "cell" }, input), label, type, missing, unreadable, note);
    /** @param {CheckedColumn} column */
    const update = (column) => {
      input.checked = column.used;
      input.disabled = !column.can_change;
      node.classList.toggle("unused", !column.used);
      setText(type, column.type);
      setText(missing, column.missing);
      setText(unreadable, column.unreadable);
      setText(note, column.note);
      for (const shown of [missing, unreadable, note]) shown.classList.toggle("empty-cell", !shown.textContent);
    };
    return { node, update };
  }
}
