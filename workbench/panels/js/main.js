// @ts-check
// Assembles the page. All state and all text come from Python.
//
// Attributes for tests and benchmarks:
//   .wb[data-ready]          results and chart are displayed
//   .wb[data-sent]           sequence number of the newest values sent to Python
//   .card[data-seq]          sequence number of the values that the results belong to
//   .card[data-exact]        "true" when the accuracy is not an estimate; [data-busy] while measuring
//   [data-number="bytes"]    … and accuracy, interval, change, times, status: the displayed texts
//   .stage .plot[data-seq]   sequence number of the values that the chart belongs to
//   .tab-body[data-seq]      the same for the open tab
//   .wb[data-offline]        the kernel does not respond

import { address, isStandalone, saveState, search, setTheme } from "./address.js";
import { Card } from "./card.js";
import { Channel } from "./channel.js";
import { Chart } from "./chart.js";
import { h } from "./dom.js";
import { copyButton, saveBlob } from "./export.js";
import { Header } from "./header.js";
import { Settings } from "./settings.js";
import { Status } from "./status.js";
import { chartTools, Tabs } from "./tabs.js";

/** @import { Labels, Model, Page } from "./types" */
/** @typedef {{ current(): "dark" | "light", toggle(): void, close(): void }} Theme */

/** @param {{ model: Model, el: HTMLElement }} options */
function render({ model, el }) {
  const root = h("div", { className: "wb" });
  const channel = new Channel(model);
  const theme = createTheme(root, channel);
  const status = new Status(channel, root);
  const header = new Header(channel, theme);
  const settings = new Settings(channel);
  const card = new Card();
  const tabs = new Tabs(channel, status);
  settings.training.onStart = () => tabs.reveal("training");
  settings.training.onSweep = () => tabs.reveal("temperature");
  settings.training.onQuery = () => {
    if (tabs.open !== "teacher") tabs.choose("teacher");
  };
  /** @type {Chart | null} */
  let chart = null;
  let query = "";

  /** @param {Page} page */
  function build(page) {
    const { labels } = page;
    status.build(labels);
    header.build(page);
    settings.build(page);
    card.build(page);
    if (!chart) assemble(labels);
    tabs.build(page);
  }

  /** @param {Labels} labels */
  function assemble(labels) {
    const tools = chartTools(labels, channel, () => chart, "chart");
    chart = new Chart(channel, tools, () => status.showMessage(labels.plotly_failed));
    chart.onPoint = (point) => {
      if (typeof point.customdata === "number") channel.act("visit", { key: point.customdata });
    };
    const link = () => (isStandalone() ? new URL(address(query), location.href).href : `?${query}`);
    const layout = h("main", { className: "page" });
    layout.append(
      header.node,
      status.banner,
      settings.node,
      h("section", { className: "panel stage", "aria-label": labels.tradeoff }, chart.node, status.progress),
      card.node,
      h(
        "nav",
        { className: "strip" },
        tabs.bar,
        h(
          "div",
          { className: "export" },
          copyButton(labels, link, status, "quiet", labels.copy_link),
          h("button", {
            type: "button",
            className: "primary",
            text: labels.download,
            onclick: () => channel.act("download"),
          }),
        ),
      ),
      tabs.body,
    );
    root.replaceChildren(layout);
  }

  channel.on("page", build);
  channel.on("state", (state) => {
    card.show(state); // before anything that takes time
    const outdated = state.seq < channel.seq && !state.values; // newer values are on their way
    header.show(state);
    if (state.seq >= channel.seq || !state.values) settings.show(state);
    status.show(state);
    query = state.query;
    if (!outdated) saveState(query);
  });
  channel.on("chart", ({ figure, seq }) => {
    chart?.show(figure, seq);
    root.dataset.ready = "true";
  });
  channel.on("tab", (message) => tabs.show(message));
  channel.on("banner", ({ text }) => status.labels && status.showMessage(text));
  channel.on("test_result", ({ text }) => status.showMessage(text, "good"));
  channel.on("progress", (message) => status.showProgress(message));
  channel.on("file", ({ name, mime }, buffers) => saveBlob(new Blob(buffers, { type: mime }), name));
  channel.on("sent", ({ seq }) => {
    root.dataset.sent = String(seq);
  });

  const stopWatching = channel.watchKernel((alive) => (alive ? status.goOnline() : status.goOffline()));

  el.append(root);
  channel.act("hello", { search: search(), theme: theme.current() });

  return () => {
    stopWatching();
    theme.close();
    header.upload.clear();
    tabs.clear();
    chart?.close();
    channel.close();
  };
}

// The theme is that of the URL, else of JupyterLab, else of the system; the button overrides it.
/** @type {(root: HTMLElement, channel: Channel) => Theme} */
function createTheme(root, channel) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  /** @type {string | null} */
  let override = isStandalone() ? new URLSearchParams(location.search).get("theme") : null;
  /** @returns {"dark" | "light"} */
  const current = () => {
    if (override === "dark" || override === "light") return override;
    const lab = document.body.dataset.jpThemeLight;
    if (lab && !isStandalone()) return lab === "true" ? "light" : "dark";
    return system.matches ? "dark" : "light";
  };
  const apply = (notify = true) => {
    const theme = current();
    if (root.dataset.theme === theme) return;
    root.dataset.theme = theme;
    if (isStandalone()) document.documentElement.dataset.theme = theme;
    if (notify) channel.act("theme", { theme });
  };
  const update = () => apply();
  const lab = new MutationObserver(update);
  lab.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  system.addEventListener("change", update);
  apply(false);
  return {
    current,
    toggle() {
      const next = current() === "dark" ? "light" : "dark";
      override = next;
      setTheme(next);
      apply();
    },
    close() {
      lab.disconnect();
      system.removeEventListener("change", update);
    },
  };
}

export default { render };
