// @ts-check
// The page on which the user trains the model on several processes. Its pictures are its tabs.

import { h } from "./dom.js";
import { ParallelCard, ParallelSection } from "./parallel.js";
import { Tabs } from "./tabs.js";

/** @import { Context, Page, State, TabMessage } from "./types" */

export class ParallelPage {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.section = new ParallelSection(context.channel);
    this.card = new ParallelCard();
    this.tabs = new Tabs(context.channel, context.status, { closable: false });
    this.section.onStart = () => this.tabs.reveal("parallel_weights");
    this.settings = h("form", { className: "panel settings", onsubmit: (event) => event.preventDefault() });
    this.settings.append(this.section.node);
    this.node = h("div", { className: "page pictures" });
    this.node.append(this.settings, this.tabs.bar, this.tabs.body, this.card.node);
  }

  /** @param {Page} page */
  build(page) {
    this.settings.setAttribute("aria-label", page.parallel.title);
    this.section.build(page);
    this.card.build(page);
    this.tabs.build(page, "parallel");
  }

  open() {
    this.tabs.resume();
  }

  /** @param {State} state */
  show(state) {
    this.card.show(state.parallel);
  }

  /** @param {TabMessage} message */
  showTab(message) {
    this.tabs.show(message);
  }

  close() {
    this.tabs.clear();
  }
}
