// @ts-check
// The page on which the user compresses the model and sees the costs immediately.

import { Card } from "./card.js";
import { h } from "./dom.js";
import { Footer } from "./footer.js";
import { about, facts, presetRow } from "./header.js";
import { Results } from "./results.js";
import { Settings } from "./settings.js";
import { Stage } from "./stage.js";
import { Summary } from "./summary.js";
import { Tabs } from "./tabs.js";
import { Tour } from "./tour.js";

/** @import { Context, Messages, Page, State, TabMessage } from "./types" */

export class CompressPage {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.above = h("div", { className: "above" });
    this.settings = new Settings(context.channel);
    this.stage = new Stage(context);
    this.stage.onLimit = (key, typed, state) => this.settings.goal.move(key, typed, state);
    this.card = new Card();
    this.summary = new Summary();
    this.results = new Results([this.card, this.stage, this.summary]);
    context.channel.on("sent", () => this.results.change());
    this.tabs = new Tabs(context.channel, context.status);
    this.footer = new Footer(context, this.tabs.bar);
    this.node = h("div", { className: "page" });
    this.tour = new Tour(this.node, context.channel);
    this.node.append(
      this.above,
      this.summary.node,
      this.settings.node,
      this.stage.node,
      this.card.node,
      this.footer.node,
      this.tabs.body,
    );
  }

  /** @param {Page} page */
  build(page) {
    const { labels } = page;
    const { channel, go } = this.context;
    const start = () => this.tour.start();
    const tour = h("button", {
      type: "button",
      className: "quiet small",
      text: page.settings.tour.start,
      onclick: start,
    });
    this.above.replaceChildren(
      h("div", { className: "begin" }, presetRow(page, channel), tour),
      facts(page),
      about(page),
    );
    this.settings.build(page);
    this.stage.build(labels);
    this.card.build(page);
    const train = h("button", { type: "button", className: "quiet", text: labels.train, onclick: () => go("train") });
    const trial = h("button", {
      type: "button",
      className: "quiet",
      text: labels.trial,
      onclick: () => this.context.tryModel(),
    });
    const next = [...(page.trial ? [trial] : []), ...(page.pages.some(({ key }) => key === "train") ? [train] : [])];
    this.footer.build(page, ...next);
    this.tabs.build(page, "compress");
    this.tour.build(page, tour);
  }

  open() {
    this.stage.open();
    this.tabs.resume();
    this.tour.resume();
  }

  leave() {
    this.tour.close();
  }

  /** @param {State} state */
  show(state) {
    this.results.show(state); // before anything that takes time
    if (state.seq >= this.context.channel.seq || !state.values) this.settings.show(state);
    this.footer.show(state);
    this.tour.check(this.settings.values, state);
  }

  /** @param {Messages["layers"]} message */
  showLayers({ layer_table }) {
    this.settings.buildLayers(layer_table);
  }

  /** @param {Messages["chart"]} message */
  showChart(message) {
    this.stage.showChart(message);
    this.summary.showFigure(message);
  }

  /** @param {Messages["saved"]} message */
  showSaved(message) {
    this.footer.showSaved(message);
  }

  /** @param {TabMessage} message */
  showTab(message) {
    this.tabs.show(message);
  }

  close() {
    this.results.clear();
    this.tour.close();
    this.tabs.clear();
    this.stage.close();
  }
}
