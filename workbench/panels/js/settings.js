// The compression settings: large controls, limits, training, more settings, layer table.

import { h, term } from "./dom.js";
import { control } from "./field.js";
import { LayerTable } from "./layer_table.js";
import { TrainingSection } from "./training.js";

export class Settings {
  constructor(channel) {
    this.channel = channel;
    this.values = {};
    this.training = new TrainingSection(channel);
    this.node = h("form", { className: "panel settings", onsubmit: (event) => event.preventDefault() });
  }

  build(page) {
    const { labels } = page;
    const change = (key, value) => this.change(key, value);
    const make = (field) => ({ field, ...control(field, (value) => change(field.key, value)) });
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
    const changeLayer = (layer, values) => this.changeLayer(layer, values);
    const holdSize = (on) => this.channel.act("hold_size", { on });
    this.layerTable = new LayerTable(fields.filter(byLayer), page.layer_table, labels, changeLayer, holdSize);
    this.limits = limits(labels, this.channel);
    this.training.build(page);
    const opened = [...this.node.querySelectorAll(":scope > details")].map((details) => details.open);
    this.node.setAttribute("aria-label", labels.settings);
    this.node.replaceChildren(
      ...primary.map((part) =>
        h(
          "fieldset",
          {},
          h("legend", { text: part.title }),
          ...part.controls.map((field) => field.node),
        ),
      ),
      this.limits.node,
      this.training.node,
      h("details", {}, h("summary", { text: labels.more }), ...more.flatMap(titled)),
      h("details", {}, h("summary", { text: labels.layers }), this.layerTable.node),
    );
    this.node.querySelectorAll(":scope > details").forEach((details, i) => (details.open = opened[i] || false));
    if (this.shown) this.show({ ...this.shown, values: this.values });
  }

  change(key, value) {
    this.values = { ...this.values, [key]: value };
    this.channel.sendValues(this.values); // before anything that takes time
    this.hideUnused();
    this.layerTable.show(this.values);
  }

  // While the file size is kept, Python also adjusts the other layers.
  changeLayer(layer, values) {
    this.values = { ...this.values, ...values };
    if (this.shown.layer_table.held_size) this.channel.act("layer_values", { layer, values: this.values });
    else this.channel.sendValues(this.values);
    this.layerTable.show(this.values);
  }

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
    this.training.show(this.values);
    for (const { field, node } of this.controls) {
      if (field.visible_if) node.hidden = !field.visible_if[1].includes(this.values[field.visible_if[0]]);
    }
  }
}

function titled({ title, controls }) {
  return [h("h3", { text: title }), ...controls.map((field) => field.node)];
}

function limits(labels, channel) {
  const budget = limit(labels.budget, labels.budget_unit, labels.none, (value) =>
    channel.act("budget", { value: value === null ? null : value * 1000 }),
  );
  const floor = limit(labels.floor, labels.floor_unit, labels.none, (value) =>
    channel.act("floor", { value: value === null ? null : value / labels.floor_scale }),
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
      floor.show(state.floor === null ? null : Math.round(state.floor * labels.floor_scale * 1e3) / 1e3);
    },
  };
}

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
    show(value) {
      if (document.activeElement !== input) input.value = value === null ? "" : value;
    },
  };
}
