// @ts-check
// The layer table: a row for each layer with its description, its share of file size and MACs, and a
// cell for each per-layer field. An empty cell uses the setting above the table. The check box
// "exclude" excludes the layer from all parts of the recipe.

import { describe, h, setText, term } from "./dom.js";
import { answered } from "./limits.js";

/** @import { Bounds } from "./limits.js" */
/** @import { Field, Labels, LayerRow, LiveTable, Share, Value, Values } from "./types" */
/** @typedef {(layer: string, values: Values) => void} ChangeLayer */
/** @typedef {{ node: HTMLElement, input: HTMLInputElement | HTMLSelectElement, error?: HTMLElement, show: (value: any) => void }} Cell */
/** @typedef {(field: Field, layer: string, labels: Labels, change: (value?: Value) => void) => Cell} MakeCell */
/**
 * @typedef {object} Row
 * @property {string} name
 * @property {HTMLElement} node
 * @property {ReturnType<typeof meter>} bytesMeter
 * @property {(Cell & { field: Field })[]} cells
 * @property {HTMLInputElement} exclude
 */

export class LayerTable {
  // Calls `change(layer, values)` with the values that the user has changed.
  /**
   * @param {Field[]} fields
   * @param {LayerRow[]} rows
   * @param {Labels} labels
   * @param {ChangeLayer} change
   * @param {(on: boolean) => void} holdSize
   */
  constructor(fields, rows, labels, change, holdSize) {
    /** @type {Values} */
    this.values = {};
    this.fields = fields.filter((field) => field.kind === "layers");
    this.excludeFields = fields.filter((field) => field.kind === "names");
    this.rows = rows.map((row) => this.row(row, labels, change));
    /** @type {HTMLInputElement} */
    this.holdBox = h("input", { type: "checkbox", onchange: () => holdSize(this.holdBox.checked) });
    const holdLabel = term(labels.hold_size, labels.hold_size_help);
    describe(this.holdBox, holdLabel);
    this.heldSize = h("span", { className: "held-size", role: "status" });
    this.node = h(
      "div",
      { className: "layer-table" },
      h(
        "div",
        { className: "hold-size" },
        h("label", {}, this.holdBox, h("span", { className: "announcement", text: labels.hold_size })),
        holdLabel,
        this.heldSize,
      ),
      h("ul", { className: "rows", tabIndex: 0, "aria-label": labels.layers }, ...this.rows.map((row) => row.node)),
    );
  }

  /** @type {(row: LayerRow, labels: Labels, change: ChangeLayer) => Row} */
  row({ name, description, macs, coupled }, labels, change) {
    const bytesMeter = meter(labels.bytes_share);
    const macsMeter = meter(labels.macs_share);
    macsMeter.show(macs);
    const fields = this.fields.filter((field) => coupled[field.key].length);
    const cells = fields.map((field) => {
      const make = field.choices.length ? choice : share;
      const cell = make(field, name, labels, (value) =>
        change(name, { [field.key]: withRows(this.values[field.key], coupled[field.key], value) }),
      );
      return { field, ...cell };
    });
    const exclude = h("input", { type: "checkbox", "aria-label": `${labels.exclude}: ${name}` });
    exclude.addEventListener("change", () => {
      const lists = this.excludeFields.map(({ key }) => [key, withLayer(this.values[key], name, exclude.checked)]);
      change(name, Object.fromEntries(lists));
    });
    return {
      name,
      bytesMeter,
      cells,
      exclude,
      node: h(
        "li",
        {},
        h(
          "div",
          { className: "row-head" },
          h("b", { text: name }),
          h("label", { title: labels.exclude_help }, exclude, h("span", { text: labels.exclude })),
        ),
        h("p", { className: "help", text: description }),
        h("div", { className: "meters" }, bytesMeter.node, macsMeter.node),
        h("div", { className: "cells" }, ...cells.map((cell) => cell.node)),
        ...cells.flatMap(({ error }) => error ?? []),
      ),
    };
  }

  /** @param {Values} values */
  show(values) {
    this.values = values;
    for (const { name, cells, exclude } of this.rows) {
      const excluded = this.excludeFields.filter(({ key }) => values[key].includes(name)).length;
      exclude.checked = excluded === this.excludeFields.length;
      exclude.indeterminate = excluded > 0 && !exclude.checked;
      for (const { field, input, show } of cells) {
        show(values[field.key][name]);
        const part = field.key.split(".")[0];
        const excludeField = this.excludeFields.find(({ key }) => key.split(".")[0] === part);
        input.disabled = excludeField !== undefined && values[excludeField.key].includes(name);
      }
    }
  }

  // Updates what differs between files: the bytes of each layer, and the size to keep.
  /** @param {LiveTable} table */
  showLive({ bytes, held_size }) {
    for (const row of this.rows) row.bytesMeter.show(bytes[row.name]);
    this.holdBox.checked = held_size !== null;
    setText(this.heldSize, held_size === null ? "" : held_size.text);
  }
}

/** @type {(current: Record<string, Value>, layers: string[], value?: Value) => Record<string, Value>} */
export function withRows(current, layers, value) {
  const next = { ...current };
  for (const layer of layers) {
    if (value === undefined) delete next[layer];
    else next[layer] = value;
  }
  return next;
}

/** @type {(current: string[], layer: string, included: boolean) => string[]} */
export function withLayer(current, layer, included) {
  const others = current.filter((name) => name !== layer);
  return included ? [...others, layer] : others;
}

/** @param {string} label */
function meter(label) {
  const text = h("span");
  const node = h("span", { className: "meter" }, text);
  return {
    node,
    /** @param {Share | undefined} value */
    show(value) {
      setText(text, value ? `${value.text} ${label}` : `… ${label}`);
      node.title = value ? value.help : "";
      node.style.setProperty("--share", String(value ? value.share : 0));
    },
  };
}

/** @type {(field: Field, input: HTMLElement) => HTMLElement} */
function labeled(field, input) {
  const unit = field.unit ? ` (${field.unit.trim()})` : "";
  const text = field.short + unit;
  return h("label", { className: "cell", title: field.help }, h("span", { text }), input);
}

/** @type {MakeCell} */
function choice(field, layer, labels, change) {
  const input = h(
    "select",
    { "aria-label": `${field.label}: ${layer}` },
    h("option", { value: "", text: labels.inherit }),
    ...field.choices.map((item) => h("option", { value: item.value, text: item.label })),
  );
  input.addEventListener("change", () => change(field.choices[input.selectedIndex - 1]?.value));
  return {
    node: labeled(field, input),
    input,
    show(value) {
      input.selectedIndex = field.choices.findIndex((item) => item.value === value) + 1;
    },
  };
}

/** @type {MakeCell} */
function share(field, layer, labels, change) {
  const scale = field.percent ? 100 : 1;
  const input = h("input", {
    type: "number",
    min: field.low * scale,
    max: field.high * scale,
    step: "any",
    placeholder: labels.inherit,
    "aria-label": `${field.label}: ${layer}`,
  });
  const { error, check, clear } = answered(input, /** @type {Bounds} */ (field.bounds));
  /** @type {number | undefined} */
  let last; // the last one that was allowed
  input.addEventListener("change", () => {
    const value = check();
    if (value === undefined) return;
    last = value === null ? undefined : value / scale;
    change(last);
  });
  return {
    node: labeled(field, input),
    error,
    input,
    show(value) {
      const kept = document.activeElement === input || (error.textContent && value === last); // until it is corrected
      last = value;
      if (kept) return;
      clear();
      input.value = value === undefined ? "" : String(Math.round(value * scale * 1000) / 1000);
    },
  };
}
