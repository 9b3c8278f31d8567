// The page, put together. It holds no state and no words of its own: both come from Python.
//
// Marks for tests and benchmarks:
//   .wb[data-ready]          set once numbers and picture are there
//   .wb[data-sent]           sequence number of the newest values sent to Python
//   .card[data-seq]          sequence number of the values that the numbers answer
//   .card[data-exact]        "true" when the accuracy is no estimate; [data-busy] while work goes on
//   [data-number="bytes"]    … and accuracy, interval, change, times, judged: the texts themselves
//   .stage .plot[data-seq]   sequence number of the values that the drawn picture shows
//   .tab-body[data-seq]      the same for the open tab
//   .wb[data-offline]        the kernel is gone

import { address, keep, ownAddress, search, setTheme } from "./address.js";
import { Card } from "./card.js";
import { Channel } from "./channel.js";
import { Choices } from "./choices.js";
import { h } from "./dom.js";
import { Header } from "./header.js";
import { Picture } from "./picture.js";
import { copyButton, saveBlob } from "./share.js";
import { Status } from "./status.js";
import { pictureTools, Tabs } from "./tabs.js";

function render({ model, el }) {
  const root = h("div", { className: "wb" });
  const channel = new Channel(model);
  const theme = themeOf(root, channel);
  const status = new Status(channel, root);
  status.ownAddress = ownAddress();
  const header = new Header(channel, theme);
  const choices = new Choices(channel);
  const card = new Card();
  const tabs = new Tabs(channel, status);
  choices.training.onStart = () => tabs.reveal("training");
  choices.training.onSweep = () => tabs.reveal("temperature");
  choices.training.onAsk = () => tabs.open !== "teacher" && tabs.choose("teacher");
  const stage = { words: null, picture: null };
  let query = "";

  function build(page) {
    const { words } = page;
    const first = !stage.words;
    stage.words = words;
    status.build(words);
    header.build(page);
    choices.build(page);
    card.build(page);
    if (!first) return tabs.build(page);
    const tools = pictureTools(words, channel, () => stage.picture, "picture");
    stage.picture = new Picture(channel, tools, () => status.tell(words.drawing_failed));
    stage.picture.onPoint = (point) => {
      if (typeof point.customdata === "number") channel.act("visit", { key: point.customdata });
    };
    const link = () => (ownAddress() ? new URL(address(query), location.href).href : `?${query}`);
    const layout = h("main", { className: "page" });
    layout.append(
      header.node,
      status.banner,
      choices.node,
      h("section", { className: "panel stage", "aria-label": words.cost }, stage.picture.node, status.task),
      card.node,
      h(
        "nav",
        { className: "strip" },
        tabs.bar,
        h(
          "div",
          { className: "take" },
          copyButton(words, link, status, "quiet", words.copy_link),
          h("button", {
            type: "button",
            className: "primary",
            text: words.download,
            onclick: () => channel.act("download"),
          }),
        ),
      ),
      tabs.body,
    );
    root.replaceChildren(layout);
    tabs.build(page);
  }

  channel.on("page", build);
  channel.on("state", (state) => {
    card.show(state); // first of all
    const late = state.seq < channel.seq && !state.values; // an answer to something older
    header.show(state);
    if (state.seq >= channel.seq || !state.values) choices.show(state);
    status.show(state);
    query = state.query;
    if (!late) keep(query);
  });
  channel.on("picture", ({ figure, seq }) => {
    stage.picture.show(figure, seq);
    root.dataset.ready = "true";
  });
  channel.on("tab", (message) => tabs.show(message));
  channel.on("tell", ({ text }) => status.words && status.tell(text));
  channel.on("tested", ({ text }) => status.tell(text, "good"));
  channel.on("task", (message) => status.showTask(message));
  channel.on("file", ({ name, mime }, buffers) => saveBlob(new Blob(buffers, { type: mime }), name));
  channel.on("sent", ({ seq }) => (root.dataset.sent = seq));

  const stopWatching = channel.watchKernel((alive) => (alive ? status.goOnline() : status.goOffline()));

  el.append(root);
  channel.act("hello", { search: search(), theme: theme.now() });

  return () => {
    stopWatching();
    theme.close();
    header.upload.clear();
    tabs.clear();
    stage.picture?.close();
    channel.close();
  };
}

// Light or dark: what the address says, else what JupyterLab wears, else what the system prefers;
// the switch overrides all of them.
function themeOf(root, channel) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = ownAddress() ? new URLSearchParams(location.search).get("theme") : null;
  const found = () => {
    if (chosen === "dark" || chosen === "light") return chosen;
    const lab = document.body.dataset.jpThemeLight;
    if (lab && !ownAddress()) return lab === "true" ? "light" : "dark";
    return system.matches ? "dark" : "light";
  };
  const wear = (tell = true) => {
    const theme = found();
    if (root.dataset.theme === theme) return;
    root.dataset.theme = theme;
    if (ownAddress()) document.documentElement.dataset.theme = theme;
    if (tell) channel.act("theme", { theme });
  };
  const follow = () => wear();
  const lab = new MutationObserver(follow);
  lab.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  system.addEventListener("change", follow);
  wear(false);
  return {
    now: found,
    turn() {
      chosen = found() === "dark" ? "light" : "dark";
      setTheme(chosen);
      wear();
    },
    close() {
      lab.disconnect();
      system.removeEventListener("change", follow);
    },
  };
}

export default { render };
