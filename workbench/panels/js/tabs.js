// The tabs below the chart. Python keeps only the open tab up to date and sends its content: a figure,
// two generated texts, a table, texts to copy, or a note.

import { buttonRow } from "./buttons.js";
import { h } from "./dom.js";
import { Chart } from "./chart.js";
import { copyButton, saveBlob } from "./export.js";
import { generatedTexts } from "./generation.js";
import { ViewBar } from "./views.js";

const TALL_WINDOW = "(min-height: 1000px)"; // as in layout.css: the first tab opens initially
const TILE_WIDTH = 104; // px of an example with its caption

export class Tabs {
  constructor(channel, status) {
    this.channel = channel;
    this.status = status;
    this.bar = h("div", { className: "tab-bar", role: "tablist" });
    this.views = new ViewBar(channel, (key) => this.choose(key));
    this.content = h("div");
    this.body = h("div", { className: "tab-body panel", role: "tabpanel", tabIndex: -1 }, this.views.node, this.content);
    new ResizeObserver(() => this.measure()).observe(this.body);
    this.open = undefined; // the key of the open tab; null when the user has closed it
    this.chart = null;
  }

  build(page) {
    this.labels = page.labels;
    this.buttonKeys = Object.fromEntries(page.tabs.map((tab) => [tab.key, tab.parent || tab.key]));
    const row = page.tabs.filter((tab) => !tab.parent);
    this.tabs = row.map((tab) => ({
      ...tab,
      node: h("button", {
        type: "button",
        role: "tab",
        text: tab.label,
        onclick: () => this.press(tab.key),
        onkeydown: (event) => this.onKey(event),
      }),
    }));
    this.bar.replaceChildren(...this.tabs.map((tab) => tab.node));
    const removed = this.open && !(this.open in this.buttonKeys); // the new task has other tabs
    if (removed) this.choose(this.tabs[0].key);
    else if (this.open === undefined && matchMedia(TALL_WINDOW).matches) this.choose(this.tabs[0].key);
    else this.mark();
  }

  choose(key) {
    this.open = key;
    this.clear();
    this.mark();
    this.columns = this.countColumns();
    this.channel.act("tab", { key, columns: this.columns });
  }

  // The number of examples that fit side by side; Python needs it to lay out figures.
  countColumns() {
    return Math.max(2, Math.min(12, Math.floor(this.body.clientWidth / TILE_WIDTH)));
  }

  measure() {
    const columns = this.countColumns();
    if (!this.open || columns === this.columns) return;
    this.columns = columns;
    this.channel.act("focus", { key: "columns", value: columns });
  }

  // A click opens a tab and scrolls to it; a click on the open tab closes it.
  press(key) {
    this.choose(key === this.buttonKeys[this.open] ? null : key);
    if (this.open) this.body.scrollIntoView({ block: "nearest" });
  }

  // Opens a tab, unless it is open already, and scrolls to it.
  reveal(key) {
    if (key !== this.open) this.choose(key);
    this.bar.scrollIntoView({ block: "start" });
  }

  mark() {
    this.body.hidden = !this.open;
    for (const [index, tab] of this.tabs.entries()) {
      const selected = tab.key === this.buttonKeys[this.open];
      tab.node.setAttribute("aria-selected", selected);
      tab.node.tabIndex = selected || (!this.open && index === 0) ? 0 : -1;
      if (selected) this.body.setAttribute("aria-label", tab.label);
    }
  }

  onKey(event) {
    const direction = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!direction) return;
    const index = this.tabs.findIndex((tab) => tab.node === event.target);
    const next = this.tabs[(index + direction + this.tabs.length) % this.tabs.length];
    this.choose(next.key);
    next.node.focus();
  }

  clear() {
    this.closeChart();
    this.content.replaceChildren();
    this.body.classList.remove("faded");
    delete this.body.dataset.seq;
  }

  closeChart() {
    this.chart?.close();
    this.chart = null;
  }

  show(message) {
    if (message.key !== this.open) return;
    // During an update, the content of the same view and its controls stay, faded: nothing jumps.
    const hasContent = this.chart || this.generation?.isConnected;
    const keep = message.keep && hasContent && message.controls[0].value === this.views.view;
    if (!keep) this.views.show(message.controls);
    this.body.classList.toggle("faded", Boolean(keep));
    const focused = this.row ? [...this.row.children].indexOf(document.activeElement) : -1;
    if (message.figure) this.showFigure(message);
    else if (message.generation) this.showGeneration(message);
    else if (message.note) keep || this.showNote(message.note);
    else this.showTableOrTexts(message);
    this.showButtons(message.buttons, focused);
    this.body.dataset.seq = message.seq;
  }

  showNote(text) {
    this.closeChart();
    this.content.replaceChildren(h("p", { className: "empty", text }));
  }

  // Shows the row above the content, and restores the focus.
  showButtons(buttons, focused) {
    if (this.row?.isConnected) return;
    this.row = buttons ? buttonRow(buttons, this.channel) : null;
    if (this.row) this.content.prepend(this.row);
    this.row?.children[focused]?.focus();
  }

  showFigure(message) {
    if (!this.chart) {
      const tools = chartTools(this.labels, this.channel, () => this.chart, message.key);
      this.chart = new Chart(this.channel, tools, () => this.status.showMessage(this.labels.plotly_failed));
      this.chart.onPoint = ({ x, y, customdata }) =>
        customdata?.act
          ? this.channel.act(customdata.act, customdata)
          : this.channel.act("focus", { key: "tile", value: { x, y } });
      this.content.replaceChildren(this.chart.node);
    }
    const height = message.height ?? message.figure.layout.height;
    this.chart.plot.style.height = height ? `${height}px` : "";
    this.chart.show(message.figure, message.seq);
  }

  showGeneration(message) {
    const csv = csvButton(this.labels, this.channel, message.key);
    this.closeChart();
    this.generation = generatedTexts(message.generation, h("div", { className: "chart-tools" }, csv));
    this.content.replaceChildren(this.generation);
  }

  showTableOrTexts(message) {
    const description = JSON.stringify([message.table, message.texts]);
    if (description === this.description && this.content.childElementCount) return;
    this.description = description;
    this.closeChart();
    const focused = document.activeElement?.dataset?.key;
    this.content.replaceChildren(message.table ? this.table(message.table) : this.texts(message.texts));
    if (focused) this.body.querySelector(`[data-key="${focused}"]`)?.focus();
  }

  table({ head, rows, empty, action, button, foot }) {
    if (!rows.length) return h("p", { className: "empty", text: empty });
    const line = ({ key, selected, cells }) =>
      h(
        "tr",
        { className: selected ? "selected" : "", "aria-current": selected ? "true" : null },
        ...cells.map((text) => h("td", { text })),
        h(
          "td",
          {},
          selected || key === null
            ? null
            : h("button", {
                type: "button",
                className: "quiet small",
                "data-key": key,
                text: action,
                "aria-label": `${action}: ${cells[0]}`,
                onclick: () => this.channel.act("visit", { key }),
              }),
        ),
      );
    return h(
      "div",
      { className: "results" },
      h(
        "div",
        { className: "scroll", tabIndex: 0 },
        h(
          "table",
          {},
          h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col", text })), h("td"))),
          h("tbody", {}, ...rows.map(line)),
        ),
      ),
      foot ? h("p", { className: "foot", text: foot }) : null,
      h("button", {
        type: "button",
        className: "quiet small",
        text: button.text,
        onclick: () => this.channel.act(button.act),
      }),
    );
  }

  texts(texts) {
    return h(
      "div",
      { className: "texts" },
      ...texts.map(({ title, text, link }) => {
        const content = link && this.status.isStandalone ? new URL(text, location.href).href : text;
        return h(
          "section",
          {},
          h(
            "div",
            { className: "text-head" },
            h("h3", { text: title }),
            copyButton(this.labels, () => content, this.status, "quiet small"),
          ),
          h("pre", { tabIndex: 0, text: content }),
        );
      }),
    );
  }
}

// The small buttons in the corner of a chart, which save its image and its data.
export function chartTools(labels, channel, chart, key) {
  const save = async () => {
    const background = getComputedStyle(chart().node).getPropertyValue("--panel").trim();
    saveBlob(await chart().save(background), `${key}.png`);
  };
  return h(
    "div",
    { className: "chart-tools" },
    toolButton(labels.png_short, labels.png, save),
    csvButton(labels, channel, key),
  );
}

function csvButton(labels, channel, key) {
  return toolButton(labels.csv_short, labels.csv, () => channel.act(`${key}_csv`));
}

function toolButton(short, long, onclick) {
  return h("button", { type: "button", className: "quiet small", text: short, title: long, "aria-label": long, onclick });
}
