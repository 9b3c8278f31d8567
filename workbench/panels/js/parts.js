// @ts-check
// Parts of the page as widgets of their own, which notebooks combine.

import { Card } from "./card.js";
import { group, h, setText } from "./dom.js";
import { applies, control } from "./field.js";
import { Results } from "./results.js";
import { Stage } from "./stage.js";
import { selectedNote, selectStudent } from "./student.js";
import { Tabs } from "./tabs.js";

/** @import { MadeControl } from "./field.js" */
/** @import { Context, Field, Messages, Page, State, StudentRules, TabMessage, Value, Values } from "./types" */

export class TradeoffPart {
  /** @param {Context} context */
  constructor(context) {
    this.stage = new Stage(context);
    this.results = new Results([this.stage]);
    this.node = this.stage.node;
  }

  /** @param {Page} page */
  build(page) {
    this.stage.build(page.labels);
  }

  open() {
    this.stage.open();
  }

  /** @param {State} state */
  show(state) {
    this.results.show(state);
  }

  /** @param {Messages["chart"]} message */
  showChart(message) {
    this.stage.showChart(message);
  }

  close() {
    this.results.clear();
    this.stage.close();
  }
}

export class CardPart {
  /** @param {Context} context */
  constructor({ channel }) {
    this.card = new Card();
    this.results = new Results([this.card]);
    channel.on("sent", () => this.results.change());
    this.node = this.card.node;
  }

  /** @param {Page} page */
  build(page) {
    this.card.build(page);
  }

  /** @param {State} state */
  show(state) {
    this.results.show(state);
  }

  close() {
    this.results.clear();
  }
}

export class ControlsPart {
  /** @type {(MadeControl & { field: Field })[]} */ controls;

  /** @param {Context} context */
  constructor({ channel }) {
    this.channel = channel;
    this.note = h("p", { className: "help warning", role: "status" });
    this.node = h("form", { className: "panel settings", onsubmit: (event) => event.preventDefault() });
  }

  /** @param {Page} page */
  build({ labels, parts }) {
    /** @param {Field} field */
    const make = (field, /** @type {StudentRules | undefined} */ rules) => ({
      field,
      ...control(field, (value) => this.change(field.key, value, rules)),
    });
    const groups = parts.map(({ title, fields, rules }) => ({
      title,
      controls: fields.map((field) => make(field, rules)),
    }));
    this.controls = groups.flatMap((group) => group.controls);
    this.node.setAttribute("aria-label", labels.settings);
    this.node.replaceChildren(
      ...groups.map(({ title, controls }) =>
        group(title, h("div", { text: title }), { className: "group" }, ...controls.map(({ node }) => node)),
      ),
      this.note,
    );
  }

  /** @type {(key: string, value: Value, rules?: StudentRules) => void} */
  change(key, value, rules) {
    const { values } = this.channel;
    const next = rules ? selectStudent(rules, values, key, value) : { ...values, [key]: value };
    setText(this.note, rules ? selectedNote(rules, values, next, key, this.note.textContent ?? "") : "");
    this.channel.sendValues(next);
    this.showValues(next);
  }

  /** @param {State} state */
  show({ values }) {
    if (!values) return;
    setText(this.note, "");
    this.showValues(values);
  }

  /** @param {Values} values */
  showValues(values) {
    for (const { field, show } of this.controls) show(values[field.key]);
    this.hideUnused();
  }

  hideUnused() {
    for (const { field, node } of this.controls) node.hidden = !applies(field, this.channel.values);
  }
}

export class TabPart {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.tabs = new Tabs(context.channel, context.status, { closable: false });
    this.node = this.tabs.body;
  }

  /** @param {Page} page */
  build(page) {
    this.tabs.build(page, page.tabs[0]?.page ?? ""); // none, where the task has no such tab
  }

  open() {
    this.node.append(this.context.status.progress);
    this.tabs.resume();
  }

  show() {}

  /** @param {TabMessage} message */
  showTab(message) {
    this.tabs.show(message);
  }

  close() {
    this.tabs.clear();
  }
}
