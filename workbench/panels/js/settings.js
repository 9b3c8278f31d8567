// @ts-check
// The compression settings: large controls, limits, more settings, layer table.

import { h, term } from "./dom.js";
import { applies, control } from "./field.js";
import { LayerTable } from "./layer_table.js";

/** @import { Channel } from "./channel.js" */
/** @import { MadeControl } from "./field.js" */
/** @import { Field, Labels, Page, State, Value, Values } from "./types" */

export class Settings {
  /** @type {(MadeControl & { field: Field })[]} */ controls;
  /** @type {LayerTable} */ layerTable;
  /** @type {ReturnType<typeof limits>} */ limits;
  /** @type {State | undefined} */ shown;

  /** @param {Channel} channel */
  constructor(channel) {
    this.channel = channel;
    /** @type {Values} */
    this.values = {};
    this.node = h("form", { className: "panel settings", onsubmit: (event) => event.preventDefault() });
  }

  /** @param {Page} page */
  build(page) {
    const { labels } = page;
    /** @param {Field} field */
    const make = (field) => ({ field, ...control(field, (value) => this.change(field.key, value)) });
    /** @param {Field} field */
    const byLayer = (field) => field.kind === "layers" || field.kind === "names";
    const fields = page.parts.flatMap((part) => part.fields);
    const primary = page.parts.map((part) => ({
      title: part.title,
      controls: part.fields.filter((field) => field.primary).map(make),
    }));
    const more = page.parts
      .map((part) => ({
        title: part.title,
        controls: part.fields.filter((field) => !field.primary && !byLayer(field)).map(make),
      }))
      .filter((part) => part.controls.length);
    this.controls = [...primary, ...more].flatMap((part) => part.controls);
    this.layerTable = new LayerTable(
      fields.filter(byLayer),
      page.layer_table,
      labels,
      (layer, values) => this.changeLayer(layer, values),
      (on) => this.channel.act("hold_size", { on }),
    );
    this.limits = limits(labels, this.channel);
    const opened = this.details().map((details) => details.open);
    this.node.setAttribute("aria-label", labels.settings);
    this.node.replaceChildren(
      ...primary.map((part) =>
        h("fieldset", {}, h("legend", { text: part.title }), ...part.controls.map((field) => field.node)),
      ),
      this.limits.node,
      h("details", {}, h("summary", { text: labels.more }), ...more.flatMap(titled)),
      h("details", {}, h("summary", { text: labels.layers }), this.layerTable.node),
    );
    for (const [i, details] of this.details().entries()) details.open = opened[i] || false;
    if (this.shown) this.show({ ...this.shown, values: this.values });
  }

  // The sections that the user opens and closes.
  details() {
    return [...this.node.children].filter((node) => node instanceof HTMLDetailsElement);
  }

  /** @type {(key: string, value: Value) => void} */
  change(key, value) {
    this.values = { ...this.values, [key]: value };
    this.channel.sendValues(this.values); // before anything that takes time
    this.hideUnused();
    this.layerTable.show(this.values);
  }

  // While the file size is kept, Python also adjusts the other layers.
  /** @type {(layer: string, values: Values) => void} */
  changeLayer(layer, values) {
    this.values = { ...this.values, ...values };
    if (this.shown?.layer_table.held_size) this.channel.act("layer_values", { layer, values: this.values });
    else this.channel.sendValues(this.values);
    this.layerTable.show(this.values);
  }

  /** @param {State} state */
  show(state) {
    this.shown = state;
    if (state.values) {
      this.values = state.values;
      for (const { field, show } of this.controls) show(this.values[field.key]);
      this.layerTable.show(this.values);
      this.hideUnused();
    }
    this.layerTable.showLive(state.layer_table);
    this.limits.show(state);
  }

  // Hides fields that have no effect with the current values.
  hideUnused() {
    for (const { field, node } of this.controls) node.hidden = !applies(field, this.values);
  }
}

/** @type {(part: { title: string, controls: MadeControl[] }) => HTMLElement[]} */
function titled({ title, controls }) {
  return [h("h3", { text: title }), ...controls.map((field) => field.node)];
}

/** @type {(labels: Labels, channel: Channel) => { node: HTMLElement, show: (state: State) => void }} */
function limits(labels, channel) {
  const scale = Number(labels.floor_scale);
  const budget = limit(labels.budget, labels.budget_unit, labels.none, (value) =>
    channel.act("budget", { value: value === null ? null : value * 1000 }),
  );
  const floor = limit(labels.floor, labels.floor_unit, labels.none, (value) =>
    channel.act("floor", { value: value === null ? null : value / scale }),
  );
  return {
    node: h(
      "fieldset",
      { className: "limits" },
      h("legend", {}, term(labels.limits, labels.limits_help)),
      h("div", { className: "pair" }, budget.node, floor.node),
    ),
    show(state) {
      budget.show(state.budget === null ? null : state.budget / 1000);
      floor.show(state.floor === null ? null : Math.round(state.floor * scale * 1e3) / 1e3);
    },
  };
}

/**
 * @param {string} label
 * @param {string} unit
 * @param {string} none
 * @param {(value: number | null) => void} change
 */
function limit(label, unit, none, change) {
  const input = h("input", { type: "number", min: 0, step: "any", placeholder: none });
  input.addEventListener("change", () => change(input.value === "" ? null : Number(input.value)));
  return {
    node: h(
      "label",
      { className: "limit" },
      h("span", { text: label }),
      h("span", { className: "with-unit" }, input, h("span", { className: "unit", text: unit })),
    ),
    /** @param {number | null} value */
    show(value) {
      if (document.activeElement !== input) input.value = value === null ? "" : String(value);
    },
  };
}
