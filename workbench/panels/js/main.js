// @ts-check
// Displays the part of the page that Python names. All state and all text come from Python.
//
// Attributes for tests and benchmarks:
//   .wb[data-ready]          results and the open picture are displayed
//   .wb[data-sent]           sequence number of the newest values sent to Python
//   .card[data-seq]          sequence number of the values that the results belong to
//   .card[data-exact]        "true" when the accuracy is not an estimate; [data-busy] while measuring
//   [data-number="bytes"]    … and accuracy, interval, change, original, times, status: the texts
//   .stage .plot[data-seq]   sequence number of the values that the chart belongs to
//   .tab-body[data-seq]      the same for the open tab
//   .wb[data-offline]        the kernel does not respond

import { getKey, isStandalone, saveState, search, viewValues } from "./address.js";
import { App } from "./app.js";
import { Channel } from "./channel.js";
import { ChoosePage } from "./choose_page.js";
import { CompressPage } from "./compress_page.js";
import { allowDecimalCommas } from "./decimals.js";
import { DeployPage } from "./deploy_page.js";
import { h } from "./dom.js";
import { saveBlob } from "./export.js";
import { landmarks } from "./landmarks.js";
import { ParallelPage } from "./parallel_page.js";
import { CardPart, ControlsPart, TabPart, TradeoffPart } from "./parts.js";
import { PlanPage } from "./plan_page.js";
import { Status } from "./status.js";
import { createTheme } from "./theme.js";
import { TrainPage } from "./train_page.js";
import { fileOf } from "./uploaded_files.js";

/** @import { Context, Model, View } from "./types" */

/** @type {Record<string, new (context: Context) => View>} */
const VIEWS = {
  app: App,
  compress: CompressPage,
  train: TrainPage,
  choose: ChoosePage,
  deploy: DeployPage,
  parallel: ParallelPage,
  plan: PlanPage,
  tradeoff: TradeoffPart,
  card: CardPart,
  controls: ControlsPart,
  tab: TabPart,
};
const WITHOUT_PICTURE = ["card", "controls"];

// Displays the widget again in another language: every text comes from Python.
/** @param {{ model: Model, el: HTMLElement }} options */
function render({ model, el }) {
  /** @param {string} lang */
  const changeLanguage = (lang) => {
    close();
    el.replaceChildren();
    close = display({ model, el, changeLanguage, lang });
  };
  let close = display({ model, el, changeLanguage });
  return () => close();
}

/** @param {{ model: Model, el: HTMLElement, changeLanguage: (lang: string) => void, lang?: string }} options */
function display({ model, el, changeLanguage, lang }) {
  const root = h("div", { className: "wb" });
  const nameLandmarks = landmarks(root);
  const channel = new Channel(model);
  const theme = createTheme(root, channel);
  const status = new Status(channel, root);
  const part = model.get("part");
  const view = new VIEWS[part]({ channel, status, theme, changeLanguage, go: () => {}, tryModel: () => {} });
  const ready = () => {
    root.dataset.ready = "true";
  };
  allowDecimalCommas(root, () => status.labels?.comma ?? "");
  // Shows everything once the first results are in it: the first paint does not jump.
  const start = () => {
    root.append(...(view.node.contains(status.banner) ? [view.node] : [status.banner, view.node]));
    view.open?.();
    if (lang) /** @type {HTMLElement | null} */ (root.querySelector("button[lang]"))?.focus();
  };

  channel.on("page", (page) => {
    root.lang = page.labels.lang;
    if (isStandalone()) document.documentElement.lang = page.labels.lang;
    status.build(page.labels);
    view.build(page);
  });
  channel.on("layers", (message) => view.showLayers?.(message));
  channel.on("state", (state) => {
    if (state.values) channel.values = state.values;
    view.show(state); // before anything that takes time
    status.show(state);
    if (!root.firstChild) start();
    nameLandmarks();
    const outdated = state.seq < channel.seq && !state.values; // newer values are on their way
    if (!outdated && !state.missing) saveState(state.query); // a missing model stays in the address
    if (WITHOUT_PICTURE.includes(part)) ready();
  });
  channel.on("chart", (message) => {
    view.showChart?.(message);
    ready();
  });
  channel.on("tab", (message) => {
    view.showTab?.(message);
    ready();
  });
  channel.on("banner", ({ text }) => status.labels && status.showMessage(text));
  channel.on("saved", (message) => view.showSaved?.(message));
  channel.on("progress", (message) => status.showProgress(message));
  channel.on("file", ({ name, mime }, buffers) => saveBlob(new Blob(buffers, { type: mime }), name));
  root.dataset.sent = String(channel.seq);
  channel.on("sent", ({ seq }) => {
    root.dataset.sent = String(seq);
  });

  const stopWatching = channel.watchKernel((alive) => (alive ? status.goOnline() : status.goOffline()));

  el.classList.add("workbench-frame", `workbench-${part}`);
  el.append(root);
  const file = fileOf(getKey("m") ?? "")?.file;
  // The kernel of a widget that is displayed again has its state already.
  const { languages } = navigator;
  const from = lang
    ? { search: "", view: { lang } }
    : { search: search(), view: viewValues(), page: getKey("page"), file };
  channel.act("hello", { theme: theme.current(), languages, ...from });

  return () => {
    stopWatching();
    theme.close();
    view.close?.();
    channel.act("bye");
    channel.close();
  };
}

export default { render };
