// @ts-check
// The tabs below the chart. Python keeps only the open tab up to date and sends its content: a figure,
// two generated texts, a table, texts to copy, or a note.

import { Activity } from "./activity.js";
import { isStandalone } from "./address.js";
import { buttonRow } from "./buttons.js";
import { Chart } from "./chart.js";
import { h, setText } from "./dom.js";
import { copyButton, saveBlob } from "./export.js";
import { generatedTexts } from "./generation.js";
import { selectedView, ViewBar } from "./views.js";

/** @import { Channel } from "./channel.js" */
/** @import { Status } from "./status.js" */
/** @import { ActionButton, CopyText, Generation, Labels, Page, PlotlyFigure, Table, TableCell, TabLabel, TabMessage } from "./types" */

const TALL_WINDOW = "(min-height: 1000px)"; // as in layout.css: the first tab opens initially
const TILE_WIDTH = 104; // px of an example with its caption

export class Tabs {
  /** @type {Labels} */ labels;
  /** @type {(TabLabel & { node: HTMLElement })[]} */ tabs;
  /** @type {HTMLElement | null | undefined} */ row; // buttons above the content
  rowDescription = ""; // of the buttons that are shown
  /** @type {HTMLElement | undefined} */ generation;
  /** @type {string | undefined} */ description; // of the table or the texts that are shown
  columns = 0; // the number of examples that fit side by side

  /**
   * @param {Channel} channel
   * @param {Status} status
   * @param {{ closable: boolean }} options whether all tabs can be closed, so that nothing is shown
   */
  constructor(channel, status, { closable } = { closable: true }) {
    this.channel = channel;
    this.status = status;
    this.closable = closable;
    this.bar = h("div", { className: "tab-bar", role: "tablist" });
    this.views = new ViewBar(channel);
    this.activity = new Activity(channel);
    this.content = h("div");
    this.foot = h("p", { className: "foot", hidden: true });
    this.body = h(
      "div",
      { className: "tab-body panel", role: "tabpanel", tabIndex: -1 },
      this.activity.node,
      this.views.node,
      this.content,
      this.foot,
    );
    new ResizeObserver(() => this.measure()).observe(this.body);
    /** @type {string | null | undefined} */
    this.open = undefined; // the key of the open tab; null when the user has closed it
    /** @type {Chart | null} */
    this.chart = null;
  }

  // Builds the tabs of one page of the app.
  /** @type {(page: Page, name: string) => void} */
  build({ labels, tabs }, name) {
    this.labels = labels;
    this.activity.build(labels);
    this.tabs = tabs
      .filter((tab) => tab.page === name)
      .map((tab) => ({
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
    const removed = this.open && !this.tabs.some((tab) => tab.key === this.open); // by another task
    if (removed) this.choose(this.tabs[0]?.key ?? null);
    else this.mark();
  }

  // Requests the content of the open tab; in a tall window, or where it cannot be closed, one opens.
  resume() {
    const opens = !this.closable || matchMedia(TALL_WINDOW).matches;
    if (this.open === undefined) this.open = (opens && this.tabs[0]?.key) || null;
    if (this.open) this.choose(this.open);
  }

  /** @param {string | null} key */
  choose(key) {
    this.open = key;
    this.clear();
    this.mark();
    this.columns = columnsOf(this.body.clientWidth);
    this.channel.act("tab", { key, columns: this.columns });
  }

  measure() {
    const { clientWidth } = this.body;
    const columns = columnsOf(clientWidth);
    if (!this.open || !clientWidth || columns === this.columns) return; // the tab of a hidden page has no width
    this.columns = columns;
    this.channel.act("focus", { key: "columns", value: columns });
  }

  // A click opens a tab and scrolls to it; a click on the open tab closes it, if tabs can be closed.
  /** @param {string} key */
  press(key) {
    if (key === this.open && !this.closable) return;
    this.choose(key === this.open ? null : key);
    if (this.open) this.body.scrollIntoView({ block: "nearest" });
  }

  // Opens a tab, unless it is open already, and scrolls to it.
  /** @param {string} key */
  reveal(key) {
    if (key !== this.open) this.choose(key);
    this.bar.scrollIntoView({ block: "start" });
  }

  mark() {
    this.body.hidden = !this.open;
    for (const [index, tab] of this.tabs.entries()) {
      const selected = tab.key === this.open;
      tab.node.setAttribute("aria-selected", String(selected));
      tab.node.tabIndex = selected || (!this.open && index === 0) ? 0 : -1;
      if (selected) this.body.setAttribute("aria-label", tab.label);
    }
  }

  /** @param {KeyboardEvent} event */
  onKey(event) {
    const direction = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!direction) return;
    const index = this.tabs.findIndex((tab) => tab.node === event.target);
    const next = this.tabs[(index + direction + this.tabs.length) % this.tabs.length];
    this.choose(next.key);
    next.node.focus();
  }

  clear() {
    this.closeChart();
    this.activity.show(null);
    this.foot.hidden = true;
    this.content.replaceChildren();
    this.body.classList.remove("faded");
    delete this.body.dataset.seq;
  }

  closeChart() {
    this.chart?.close();
    this.chart = null;
  }

  /** @param {TabMessage} message */
  show(message) {
    if (message.key !== this.open) return;
    this.activity.show(message.activity);
    setText(this.foot, message.foot ?? "");
    this.foot.hidden = !message.foot;
    // During an update, the content of the same view and its controls stay, faded: nothing jumps.
    const hasContent = this.chart || this.generation?.isConnected;
    const keep = message.keep && hasContent && selectedView(message.controls) === this.views.view;
    if (!keep) this.views.show(message.controls);
    this.body.classList.toggle("faded", Boolean(keep));
    const focused = this.row ? [...this.row.children].indexOf(/** @type {Element} */ (document.activeElement)) : -1;
    if (message.figure) this.showFigure(message, message.figure);
    else if (message.generation) this.showGeneration(message.key, message.generation);
    else if (message.note === undefined) this.showTableOrTexts(message);
    else if (!keep) this.showNote(message.note);
    this.showButtons(message.buttons, focused);
    this.body.dataset.seq = String(message.seq);
  }

  /** @param {string} text */
  showNote(text) {
    this.closeChart();
    this.content.replaceChildren(h("p", { className: "empty", text }));
  }

  // Shows the row above the content, and restores the focus.
  /** @type {(buttons: ActionButton[] | undefined, focused: number) => void} */
  showButtons(buttons, focused) {
    const description = JSON.stringify(buttons ?? null);
    if (this.row?.isConnected && description === this.rowDescription) return;
    this.rowDescription = description;
    this.row?.remove();
    this.row = buttons ? buttonRow(buttons, this.channel) : null;
    if (this.row) this.content.prepend(this.row);
    const button = this.row?.children[focused];
    if (button instanceof HTMLElement) button.focus();
  }

  /** @type {(message: TabMessage, figure: PlotlyFigure) => void} */
  showFigure(message, figure) {
    if (!this.chart) {
      const tools = chartTools(this.labels, this.channel, () => this.chart, message.key);
      this.chart = new Chart(this.channel, tools, () => this.status.showMessage(this.labels.plotly_failed));
      this.chart.onPoint = ({ x, y, customdata }) =>
        customdata?.act
          ? this.channel.act(customdata.act, customdata)
          : this.channel.act("focus", { key: "tile", value: { x, y } });
      this.content.replaceChildren(this.chart.node);
    }
    const height = message.height ?? figure.layout.height;
    this.chart.plot.style.height = height ? `${height}px` : "";
    this.chart.name = message.name;
    this.chart.show(figure, message.seq);
  }

  /** @type {(key: string, generation: Generation) => void} */
  showGeneration(key, generation) {
    const csv = csvButton(this.labels, this.channel, key);
    this.closeChart();
    this.generation = generatedTexts(generation, h("div", { className: "chart-tools" }, csv));
    this.content.replaceChildren(this.generation);
  }

  /** @param {TabMessage} message */
  showTableOrTexts({ table, texts }) {
    const description = JSON.stringify([table, texts]);
    if (description === this.description && this.content.childElementCount) return;
    this.description = description;
    this.closeChart();
    const focused = document.activeElement?.getAttribute("data-key");
    this.content.replaceChildren(table ? this.table(table) : this.texts(texts ?? []));
    const button = focused ? this.body.querySelector(`[data-key="${focused}"]`) : null;
    if (button instanceof HTMLElement) button.focus();
  }

  /** @param {Table} table */
  table({ head, rows, empty, action, button, foot }) {
    if (!rows.length) return h("p", { className: "empty", text: empty });
    /** @param {Table["rows"][number]} row */
    const line = ({ key, selected, cells }) =>
      h(
        "tr",
        { className: selected ? "selected" : "", "aria-current": selected ? "true" : null },
        ...cells.map((cell, index) => h("td", { "data-label": head[index], className: kind(cell) }, content(cell))),
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
    /** @type {(text: string, index: number) => HTMLElement} */
    const name = (text, index) =>
      text ? h("th", { scope: "col", className: kind(rows[0].cells[index]), text }) : h("td");
    return h(
      "div",
      { className: "results" },
      h(
        "div",
        { className: "scroll", tabIndex: 0 },
        h("table", {}, h("thead", {}, h("tr", {}, ...head.map(name), h("td"))), h("tbody", {}, ...rows.map(line))),
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

  /** @param {CopyText[]} texts */
  texts(texts) {
    return h(
      "div",
      { className: "texts" },
      ...texts.map(({ title, text, link }) => {
        const content = link && isStandalone() ? new URL(text, location.href).href : text;
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

// The class of a cell: a source is a sentence, other cells are names and numbers.
/** @param {TableCell} cell */
function kind(cell) {
  return typeof cell === "string" ? "" : "source";
}

// The text of a cell, as a link if it has an address.
/** @param {TableCell} cell */
function content(cell) {
  if (typeof cell === "string") return cell;
  const { text, url } = cell;
  return url ? h("a", { href: url, target: "_blank", rel: "noreferrer", text }) : text;
}

// The small buttons in the corner of a chart, which save its image and its data.
/**
 * @param {Labels} labels
 * @param {Channel} channel
 * @param {() => Chart | null} chart
 * @param {string} key
 */
export function chartTools(labels, channel, chart, key) {
  const save = async () => {
    const image = await chart()?.save();
    if (image) saveBlob(image, `${chart()?.name || key}.png`);
  };
  return h(
    "div",
    { className: "chart-tools" },
    toolButton(labels.png_short, labels.png, save),
    csvButton(labels, channel, key),
  );
}

/** @type {(labels: Labels, channel: Channel, key: string) => HTMLElement} */
function csvButton(labels, channel, key) {
  return toolButton(labels.csv_short, labels.csv, () => channel.act(`${key}_csv`));
}

/** @type {(short: string, long: string, onclick: () => void) => HTMLElement} */
function toolButton(short, long, onclick) {
  return h("button", {
    type: "button",
    className: "quiet small",
    text: short,
    title: long,
    "aria-label": long,
    onclick,
  });
}

// The number of examples that fit side by side; Python needs it to lay out figures.
/** @param {number} width */
export function columnsOf(width) {
  return Math.max(2, Math.min(12, Math.floor(width / TILE_WIDTH)));
}
