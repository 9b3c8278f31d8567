// @ts-check
// Parts that the check of a table and the check of pictures share.

import { h, setText, uniqueId } from "./dom.js";

/** @import { CheckWarning, ClassShare, Labels, Value } from "./types" */

const FIRST_WARNINGS = 3;

// A question with a few answers, of which one is chosen.
export class Question {
  /**
   * @param {string} label
   * @param {(value: any) => void} onChange
   */
  constructor(label, onChange) {
    this.onChange = onChange;
    this.name = uniqueId();
    /** @type {Map<Value, HTMLInputElement>} */
    this.inputs = new Map();
    this.description = "";
    const title = h("span", { className: "question-label", id: uniqueId(), text: label });
    this.answers = h("span", { className: "answers" });
    this.node = h(
      "div",
      { className: "question", role: "radiogroup", "aria-labelledby": title.id },
      title,
      this.answers,
    );
  }

  // Shows the answers and the chosen one; the focus stays if the answers are the same.
  /** @type {(choices: { value: Value, label: string }[], value: Value) => void} */
  show(choices, value) {
    const description = JSON.stringify(choices);
    if (description !== this.description) {
      this.description = description;
      this.inputs = new Map(choices.map((choice) => [choice.value, this.input(choice.value)]));
      this.answers.replaceChildren(
        ...choices.map((choice) =>
          h("label", {}, this.inputs.get(choice.value) ?? null, h("span", { text: choice.label })),
        ),
      );
    }
    for (const [key, input] of this.inputs) input.checked = key === value;
  }

  /** @param {Value} value */
  input(value) {
    return h("input", { type: "radio", name: this.name, onchange: () => this.onChange(value) });
  }
}

// A switch with its label.
/** @type {(label: string, onChange: (on: boolean) => void) => { node: HTMLElement, input: HTMLInputElement, text: HTMLElement }} */
export function checkbox(label, onChange) {
  /** @type {HTMLInputElement} */
  const input = h("input", { type: "checkbox", onchange: () => onChange(input.checked) });
  const text = h("span", { text: label });
  return { node: h("label", { className: "switch" }, input, text), input, text };
}

// The rows of a table body, by key. A row stays the same node, so that the focus and the scroll position stay.
/** @template Item */
export class Rows {
  /**
   * @param {(item: Item) => { node: HTMLElement, update: (item: Item) => void }} create
   * @param {(item: Item) => string} key
   */
  constructor(create, key) {
    this.create = create;
    this.key = key;
    /** @type {Map<string, { node: HTMLElement, update: (item: Item) => void }>} */
    this.rows = new Map();
    this.node = h("tbody", { role: "rowgroup" });
  }

  /** @param {Item[]} items */
  show(items) {
    const keys = items.map(this.key);
    const same = keys.length === this.rows.size && keys.every((key) => this.rows.has(key));
    const focused = document.activeElement;
    if (!same)
      this.rows = new Map(items.map((item) => [this.key(item), this.rows.get(this.key(item)) ?? this.create(item)]));
    for (const item of items) this.rows.get(this.key(item))?.update(item);
    if (same) return;
    this.node.replaceChildren(...keys.map((key) => /** @type {{ node: HTMLElement }} */ (this.rows.get(key)).node));
    if (focused instanceof HTMLElement && this.node.contains(focused)) focused.focus();
  }
}

// The first warnings, and the others behind a button; those about one column have a button that leaves it out.
export class Warnings {
  /**
   * @param {Labels} labels
   * @param {(name: string) => void} onLeaveOut
   */
  constructor(labels, onLeaveOut) {
    this.labels = labels;
    this.onLeaveOut = onLeaveOut;
    this.first = h("ul");
    this.others = h("ul");
    this.more = h("summary");
    this.rest = h("details", {}, this.more, this.others);
    this.node = h(
      "div",
      { className: "check-warnings", role: "group", "aria-label": labels.warnings },
      this.first,
      this.rest,
    );
  }

  /** @param {CheckWarning[]} warnings */
  show(warnings) {
    const others = warnings.slice(FIRST_WARNINGS);
    this.first.replaceChildren(...warnings.slice(0, FIRST_WARNINGS).map((warning) => this.item(warning)));
    this.others.replaceChildren(...others.map((warning) => this.item(warning)));
    setText(this.more, this.labels.more_warnings.replace("{count}", String(others.length)));
    this.rest.hidden = !others.length;
    this.node.hidden = !warnings.length;
  }

  /** @param {CheckWarning} warning */
  item({ text, leave_out: name }) {
    if (name === null) return h("li", { text });
    const label = this.labels.leave_out_column.replace("{name}", () => name);
    const onclick = () => this.onLeaveOut(name);
    return h(
      "li",
      {},
      h("span", { text }),
      h("button", { type: "button", className: "quiet small", text: label, onclick }),
    );
  }
}

// The shares of the classes as bars.
/** @type {(classes: ClassShare[]) => HTMLElement[]} */
export function classBars(classes) {
  return classes.map(({ name, count, share, percent }) => {
    const bar = h("span", { className: "bar", "aria-hidden": "true" });
    bar.style.setProperty("--share", String(share));
    return h(
      "li",
      {},
      h("span", { className: "class-name", text: name, title: name }),
      bar,
      h("span", { className: "class-count", text: count ? `${count} · ${percent}` : percent }),
    );
  });
}

/** @type {(node: HTMLElement, text: string) => void} */
export function showText(node, text) {
  setText(node, text);
  node.hidden = !text;
}

/**
 * A table with the title and the filters above it; it scrolls by itself.
 * @param {{ title: string, heads: string[], rows: Rows<any>, filters: Question, className?: string }} parts
 * @param {HTMLElement[]} below - what stands below the table
 */
export function checkList({ title, heads, rows, filters, className = "" }, ...below) {
  const heading = h("h3", { id: uniqueId(), text: title });
  const row = h("tr", { role: "row" }, ...heads.map((text) => h("th", { scope: "col", role: "columnheader", text })));
  const head = h("thead", { role: "rowgroup" }, row);
  const table = h("table", { role: "table", className, "aria-labelledby": heading.id }, head, rows.node);
  return h(
    "div",
    { className: "check-list" },
    h("div", { className: "check-list-head" }, heading, filters.node),
    h("div", { className: "scroll", role: "region", tabIndex: 0, "aria-labelledby": heading.id }, table, ...below),
  );
}
