// @ts-check
// The whole app: header, banner and pages. A page is built when it is first opened; only the open page
// is shown and kept up to date. The address holds the open page.

import { getKey, isStandalone, saveState, setKey } from "./address.js";
import { ChoosePage } from "./choose_page.js";
import { CompressPage } from "./compress_page.js";
import { DeployPage } from "./deploy_page.js";
import { h } from "./dom.js";
import { Header } from "./header.js";
import { ParallelPage } from "./parallel_page.js";
import { PlanPage } from "./plan_page.js";
import { TrainPage } from "./train_page.js";
import { focusOnPress, onUndoKeys } from "./undo_keys.js";

/** @import { Context, Messages, Page, State, TabMessage, View } from "./types" */

/** @type {Record<string, new (context: Context) => View>} */
const PAGES = {
  compress: CompressPage,
  train: TrainPage,
  choose: ChoosePage,
  deploy: DeployPage,
  parallel: ParallelPage,
  plan: PlanPage,
};

const LEAVE = "workbench-leave"; // from the served page, before it goes; the browser asks if it is canceled

export class App {
  /** @type {Page} */ page;
  /** @type {State | undefined} */ shown;

  /** @param {Context} context */
  constructor(context) {
    this.context = {
      ...context,
      go: (/** @type {string} */ key) => this.go(key),
      tryModel: () => this.header.upload.trial.open(),
    };
    this.header = new Header(context.channel, context.theme, this.context.go, context.changeLanguage);
    this.main = h(isStandalone() ? "main" : "div", { className: "main" }); // a notebook has its own
    /** @type {Record<string, { view: View, built: Page }>} */
    this.opened = {};
    this.key = ""; // of the open page
    const { upload } = this.header;
    this.node = h(
      "div",
      { className: "app", ...(!isStandalone() && { tabIndex: -1 }) },
      this.header.node,
      context.status.banner,
      this.main,
      ...upload.dialogs,
    );
    if (!isStandalone()) focusOnPress(this.node);
    context.status.onUpload = (model) => upload.again(model);
    // In a notebook, the keys count only while the app has the focus.
    this.endKeys = onUndoKeys(isStandalone() ? document : this.node, (name) => this.header.step(name));
    this.onBack = () => {
      this.turn(getKey("page") ?? this.page.pages[0].key);
      if (this.shown) saveState(this.shown.query); // the older address has an older recipe
    };
    window.addEventListener("popstate", this.onBack);
    /** @param {Event} event */
    this.onLeave = (event) => this.losesWork && event.preventDefault();
    document.addEventListener(LEAVE, this.onLeave);
  }

  // Whether closing the page ends the kernel, and with it running work or what the user has uploaded.
  get losesWork() {
    const isOnline = !this.node.closest("[data-offline]");
    return isOnline && (this.header.upload.losesData || this.shown?.working === true);
  }

  // Python names the open page for a new display only: later, another one may be open by now.
  /** @param {Page} page */
  build(page) {
    this.page = page;
    this.header.build(page);
    this.display(this.key || page.open || page.pages[0].key);
  }

  // Opens a page as a step in the history of the browser.
  /** @param {string} key */
  go(key) {
    if (key === this.key) return;
    setKey("page", key, true);
    this.turn(key);
  }

  /** @param {string} key */
  turn(key) {
    if (key === this.key || !(key in PAGES)) return;
    this.context.channel.act("page", { key });
    this.display(key);
  }

  /** @param {string} key */
  display(key) {
    const { page, opened } = this;
    const isNew = key !== this.key;
    if (isNew) this.view?.leave?.();
    if (!opened[key]) {
      const view = new PAGES[key](this.context);
      this.main.append(view.node);
      view.build(page);
      opened[key] = { view, built: page };
    } else if (opened[key].built !== page) {
      opened[key].view.build(page);
      opened[key].built = page;
    }
    this.key = key;
    for (const [name, { view }] of Object.entries(opened)) view.node.hidden = name !== key;
    this.header.mark(key);
    if (!isNew) return;
    if (!this.shown) return; // nothing is displayed yet
    this.view?.show({ ...this.shown, values: this.context.channel.values });
    this.open();
  }

  open() {
    this.view?.open?.();
  }

  /** @returns {View | undefined} */
  get view() {
    return this.opened[this.key]?.view;
  }

  /** @param {State} state */
  show(state) {
    const { numbers, plane } = state.numbers ? state : (this.shown ?? state);
    this.shown = { ...state, numbers, plane }; // without newer results, those shown before stay
    this.view?.show(state);
    this.header.show(state);
  }

  /** @param {Messages["layers"]} message */
  showLayers(message) {
    this.opened.compress?.view.showLayers?.(message);
  }

  /** @param {Messages["chart"]} message */
  showChart(message) {
    this.view?.showChart?.(message);
  }

  /** @param {Messages["saved"]} message */
  showSaved(message) {
    this.view?.showSaved?.(message);
  }

  /** @param {TabMessage} message */
  showTab(message) {
    this.view?.showTab?.(message);
  }

  close() {
    window.removeEventListener("popstate", this.onBack);
    document.removeEventListener(LEAVE, this.onLeave);
    this.endKeys();
    this.header.upload.clear();
    for (const { view } of Object.values(this.opened)) view.close?.();
  }
}
