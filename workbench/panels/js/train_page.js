// @ts-check
// The page on which the user trains the model with the selected recipe. Its pictures are its tabs.

import { Card } from "./card.js";
import { h } from "./dom.js";
import { Footer } from "./footer.js";
import { Results } from "./results.js";
import { Tabs } from "./tabs.js";
import { TrainingSection } from "./training.js";

/** @import { Context, Messages, Page, State, TabMessage } from "./types" */

export class TrainPage {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.training = new TrainingSection(context.channel);
    this.card = new Card();
    this.results = new Results([this.card]);
    this.footer = new Footer(context);
    this.tabs = new Tabs(context.channel, context.status, { closable: false });
    this.training.onStart = () => this.tabs.reveal("training");
    this.training.onSweep = () => this.tabs.reveal("temperature");
    this.training.onQuery = () => {
      if (this.tabs.open !== "teacher") this.tabs.choose("teacher");
    };
    this.settings = h("form", { className: "panel settings", onsubmit: (event) => event.preventDefault() });
    this.settings.append(this.training.node);
    this.node = h("div", { className: "page pictures" });
    this.node.append(this.settings, this.tabs.bar, this.tabs.body, this.card.node, this.footer.node);
  }

  /** @param {Page} page */
  build(page) {
    this.settings.setAttribute("aria-label", page.training.title);
    this.training.build(page);
    this.card.build(page);
    this.footer.build(page);
    this.tabs.build(page, "train");
  }

  open() {
    this.tabs.body.append(this.context.status.progress);
    this.tabs.resume();
  }

  /** @param {State} state */
  show(state) {
    this.results.show(state); // before anything that takes time
    this.training.show(state.training);
    this.footer.show(state);
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
    this.tabs.clear();
  }
}
