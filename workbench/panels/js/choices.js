// The panel "what you do": large controls, limits, more choices, layer by layer.

import { h, term } from "./dom.js";
import { control } from "./field.js";
import { Bank } from "./layers.js";
import { TrainingSection } from "./training.js";

export class Choices {
  constructor(channel) {
    this.channel = channel;
    this.values = {};
    this.training = new TrainingSection(channel);
    this.node = h("form", { className: "panel choices", onsubmit: (event) => event.preventDefault() });
  }

  build(page) {
    const { words } = page;
    const change = (key, value) => this.change(key, value);
    const make = (field) => ({ field, ...control(field, (value) => change(field.key, value)) });
    const byLayer = (field) => field.kind === "layers" || field.kind === "names";
    const all = page.parts.flatMap((part) => part.fields);
    const front = page.parts.map((part) => ({
      title: part.title,
      controls: part.fields.filter((field) => field.front).map(make),
    }));
    const more = page.parts
      .map((part) => ({
        title: part.title,
        controls: part.fields.filter((field) => !field.front && !byLayer(field)).map(make),
      }))
      .filter((part) => part.controls.length);
    this.controls = [...front, ...more].flatMap((part) => part.controls);
    const hold = (on) => this.channel.act("hold", { on });
    this.bank = new Bank(all.filter(byLayer), page.bank, words, (layer, to) => this.changeLayer(layer, to), hold);
    this.limits = limits(words, this.channel);
    this.training.build(page);
    const opened = [...this.node.querySelectorAll(":scope > details")].map((one) => one.open);
    this.node.setAttribute("aria-label", words.doing);
    this.node.replaceChildren(
      ...front.map((part) =>
        h(
          "fieldset",
          {},
          h("legend", { text: part.title }),
          ...part.controls.map((one) => one.node),
        ),
      ),
      this.limits.node,
      this.training.node,
      h("details", {}, h("summary", { text: words.more }), ...more.flatMap(titled)),
      h("details", {}, h("summary", { text: words.layers }), this.bank.node),
    );
    this.node.querySelectorAll(":scope > details").forEach((one, place) => (one.open = opened[place] || false));
    if (this.shown) this.show({ ...this.shown, values: this.values });
  }

  change(key, value) {
    this.values = { ...this.values, [key]: value };
    this.channel.sendValues(this.values); // first of all
    this.arrange();
    this.bank.show(this.values);
  }

  // Where the file's size is held the other layers have to follow, and Python says how.
  changeLayer(layer, to) {
    this.values = { ...this.values, ...to };
    if (this.shown.bank.held) this.channel.act("layer", { layer, values: this.values });
    else this.channel.sendValues(this.values);
    this.bank.show(this.values);
  }

  show(state) {
    this.shown = state;
    if (state.values) {
      this.values = state.values;
      for (const { field, show } of this.controls) show(this.values[field.key]);
      this.bank.show(this.values);
      this.arrange();
    }
    this.bank.showLive(state.bank);
    this.limits.show(state);
  }

  // Fields that mean nothing beside the present values are out of the way.
  arrange() {
    this.training.show(this.values);
    for (const { field, node } of this.controls) {
      if (field.only_with) node.hidden = !field.only_with[1].includes(this.values[field.only_with[0]]);
    }
  }
}

function titled({ title, controls }) {
  return [h("h3", { text: title }), ...controls.map((one) => one.node)];
}

function limits(words, channel) {
  const budget = limit(words.budget, words.budget_unit, words.none, (value) =>
    channel.act("budget", { value: value === null ? null : value * 1000 }),
  );
  const floor = limit(words.floor, words.floor_unit, words.none, (value) =>
    channel.act("floor", { value: value === null ? null : value / words.floor_scale }),
  );
  return {
    node: h(
      "fieldset",
      { className: "limits" },
      h("legend", {}, term(words.limits, words.limits_help)),
      h("div", { className: "pair" }, budget.node, floor.node),
    ),
    show(state) {
      budget.show(state.budget === null ? null : state.budget / 1000);
      floor.show(state.floor === null ? null : Math.round(state.floor * words.floor_scale * 1e3) / 1e3);
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
