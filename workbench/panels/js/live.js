// @ts-check
// One figure in a notebook, which moves while Python changes it. The state of the widget holds the
// newest figure in the colors of both themes, so that a page that opens later shows it too.
//
// Attribute for tests: .wb.live .plot[data-seq] is the number of the figure that is drawn.

import { Channel } from "./channel.js";
import { Chart } from "./chart.js";
import { h } from "./dom.js";
import { loadPlotly } from "./plotly.js";
import { watchTheme } from "./surroundings.js";

/** @import { LiveState, Model } from "./types" */
/** @import { ThemeName } from "./surroundings.js" */

const HEIGHT = 360; // px of a figure that has no height of its own, as in JupyterLab
const SETTLE = 300; // ms after a change of theme, during which JupyterLab hides everything

// The first figure of a kernel brings plotly.js, because a kernel does not answer while a cell runs.
/** @param {{ model: Model }} options */
function initialize({ model }) {
  const load = () => {
    const script = model.get("script");
    if (script.byteLength) loadPlotly(new Channel(model), script);
  };
  model.on("change:script", load);
  load();
}

/** @param {{ model: Model, el: HTMLElement }} options */
function render({ model, el }) {
  const root = h("div", { className: "wb live" });
  const channel = new Channel(model);
  const chart = new Chart(channel, h("div"), fail);
  /** @type {ThemeName} */
  let theme = "light";

  function fail() {
    root.replaceChildren(h("p", { text: model.get("failure") }));
  }

  function show() {
    /** @type {LiveState} */
    const { number, light, dark } = model.get("state");
    const figure = theme === "dark" && dark ? dark : light;
    if (!figure) return;
    root.dataset.theme = figure === dark ? "dark" : "light";
    root.style.height = `${figure.layout.height ?? HEIGHT}px`;
    chart.show(figure, number);
  }

  root.append(chart.node);
  el.append(root);
  model.on("change:state", show);
  const stopWatching = watchTheme((newest) => {
    theme = newest;
    channel.act("theme", { theme });
    show();
    setTimeout(show, SETTLE);
  });

  return () => {
    stopWatching();
    model.off("change:state", show);
    chart.close();
    channel.close();
  };
}

export default { initialize, render };
