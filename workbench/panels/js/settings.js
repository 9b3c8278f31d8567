// @ts-check
// The settings column: the level, a group of controls for each part of the recipe,
// distillation, the goal, a hint, and the layer table.

import { Distillation } from "./distillation.js";
import { group, h, setText } from "./dom.js";
import { applies, control } from "./field.js";
import { goal } from "./goal.js";
import { LayerTable } from "./layer_table.js";
import { isShown, LevelSwitch } from "./levels.js";

/** @import { Channel } from "./channel.js" */
/** @import { MadeControl } from "./field.js" */
/** @import { Field, LayerRow, Page, Part, State, Value, Values } from "./types" */
/** @typedef {{ node: HTMLElement, controls: (MadeControl & { field: Field })[] }} Group */

export class Settings {
  /** @type {Page} */ page;
  /** @type {Group[]} */ groups;
  /** @type {LayerRow[]} */ rows;
  /** @type {LayerTable | undefined} */ layerTable;
  /** @type {ReturnType<typeof goal>} */ goal;
  /** @type {State | undefined} */ shown;
  /** @type {HTMLElement} */ layers;
  /** @type {HTMLElement} */ hiddenText;
  /** @type {HTMLElement} */ hidden;

  /** @param {Channel} channel */
  constructor(channel) {
    this.channel = channel;
    /** @type {Values} */
    this.values = {};
    this.level = new LevelSwitch(() => this.showLevel());
    this.distillation = new Distillation(channel, (values) => this.changeAll(values));
    this.hint = h("p", { className: "hint", role: "status" });
    const repeat = () => channel.act("repeat_training");
    this.trainAgain = h("button", { type: "button", className: "quiet small", onclick: repeat });
    this.node = h("form", { className: "panel settings", onsubmit: (event) => event.preventDefault() });
    const warmUp = () => channel.act("warm_up");
    for (const event of ["pointerenter", "focusin"]) this.node.addEventListener(event, warmUp, { once: true });
  }

  /** @param {Page} page */
  build(page) {
    const { labels } = page;
    this.page = page;
    this.trainAgain.textContent = labels.train_again;
    this.level.build(page);
    this.groups = page.parts.map((part) => this.group(part));
    this.distillation.build(page);
    this.goal = goal(labels, page.settings.goal, this.channel);
    this.hiddenText = h("span");
    const showAll = () => this.level.select("everything");
    this.hidden = h(
      "p",
      { className: "hidden-settings" },
      this.hiddenText,
      h("button", { type: "button", className: "quiet small", text: labels.show, onclick: showAll }),
    );
    const open = this.layers instanceof HTMLDetailsElement && this.layers.open;
    this.layers = h("details", { open }, h("summary", { text: labels.layers }));
    this.rows = page.layer_table;
    this.layerTable = undefined;
    this.node.setAttribute("aria-label", labels.settings);
    this.node.replaceChildren(
      this.level.node,
      ...this.groups.map((group) => group.node),
      this.distillation.node,
      this.goal.node,
      this.hint,
      this.trainAgain,
      this.hidden,
      this.layers,
    );
    if (this.shown) this.show({ ...this.shown, values: this.values });
  }

  /** @type {(part: Part) => Group} */
  group({ title, fields }) {
    const controls = fields
      .filter((field) => !byLayer(field))
      .map((field) => ({ field, ...control(field, (value) => this.change(field.key, value)) }));
    const nodes = controls.map(({ node }) => node);
    for (const { field, node } of controls) node.dataset.tour = field.key;
    const className = fields[0].primary ? "" : "plain"; // in its own line above a row
    const head = h("div", { className, text: title });
    return { node: group(title, head, { className: "group" }, ...nodes), controls };
  }

  /** @param {LayerRow[]} rows */
  buildLayers(rows) {
    this.rows = rows;
    this.layerTable = undefined;
    this.showLevel();
  }

  // Builds the layer table, which only one level shows.
  makeLayers() {
    if (this.layerTable) return;
    this.layerTable = new LayerTable(
      this.page.parts.flatMap((part) => part.fields).filter(byLayer),
      this.rows,
      this.page.labels,
      (layer, values) => this.changeLayer(layer, values),
      (on) => this.channel.act("hold_size", { on }),
    );
    this.layers.replaceChildren(/** @type {Node} */ (this.layers.firstChild), this.layerTable.node);
    this.layerTable.show(this.values);
    if (this.shown) this.layerTable.showLive(this.shown.layer_table);
  }

  /** @type {(key: string, value: Value) => void} */
  change(key, value) {
    this.changeAll({ [key]: value });
  }

  /** @param {Values} values */
  changeAll(values) {
    this.values = { ...this.values, ...values };
    this.channel.sendValues(this.values); // before anything that takes time
    this.showLevel();
    this.layerTable?.show(this.values);
  }

  // While the file size is kept, Python also adjusts the other layers.
  /** @type {(layer: string, values: Values) => void} */
  changeLayer(layer, values) {
    this.values = { ...this.values, ...values };
    if (this.shown?.layer_table.held_size) this.channel.act("layer_values", { layer, values: this.values });
    else this.channel.sendValues(this.values);
    this.layerTable?.show(this.values);
  }

  /** @param {State} state */
  show(state) {
    this.shown = state;
    if (state.values) {
      this.values = state.values;
      for (const { field, show } of this.groups.flatMap(({ controls }) => controls)) show(this.values[field.key]);
      this.layerTable?.show(this.values);
    }
    this.layerTable?.showLive(state.layer_table);
    this.distillation.show(this.values, state.settings.distillation);
    this.goal.show(state);
    setText(this.hint, state.settings.hint);
    this.trainAgain.hidden = !state.settings.can_train_again;
    this.showLevel();
  }

  // Hides settings of higher levels and fields that have no effect with the current values.
  showLevel() {
    const { level } = this.level;
    for (const { node, controls } of this.groups) {
      for (const { field, node } of controls)
        node.hidden = !isShown(field.level, level) || !applies(field, this.values);
      node.hidden = controls.every((made) => made.node.hidden);
    }
    this.layers.hidden = level !== "everything";
    if (!this.layers.hidden && this.shown) this.makeLayers();
    const text = this.shown?.settings.hidden[level] ?? "";
    setText(this.hiddenText, text);
    this.hidden.hidden = !text;
  }
}

/** @param {Field} field */
function byLayer(field) {
  return field.kind === "layers" || field.kind === "names";
}
