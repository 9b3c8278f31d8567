// The tabs below the picture. Python keeps only the open one up to date and says what is in it:
// a figure, two texts to compare, a table or texts to copy.

import { buttonRow } from "./buttons.js";
import { h } from "./dom.js";
import { Picture } from "./picture.js";
import { copyButton, saveBlob } from "./share.js";
import { ViewBar } from "./views.js";
import { writtenTexts } from "./written.js";

const ROOMY = "(min-height: 1000px)"; // as in layout.css: the first tab is open from the start
const TILE = 104; // px that a picture with its words takes

export class Tabs {
  constructor(channel, status) {
    this.channel = channel;
    this.status = status;
    this.bar = h("div", { className: "tab-bar", role: "tablist" });
    this.views = new ViewBar(channel, (key) => this.choose(key));
    this.inside = h("div");
    this.body = h("div", { className: "tab-body panel", role: "tabpanel", tabIndex: -1 }, this.views.node, this.inside);
    new ResizeObserver(() => this.measure()).observe(this.body);
    this.open = undefined; // the key of the open tab; null when all were closed by hand
    this.picture = null;
  }

  build(page) {
    this.words = page.words;
    this.places = Object.fromEntries(page.tabs.map((tab) => [tab.key, tab.under || tab.key]));
    const row = page.tabs.filter((tab) => !tab.under);
    this.tabs = row.map((tab) => ({
      ...tab,
      node: h("button", {
        type: "button",
        role: "tab",
        text: tab.label,
        onclick: () => this.press(tab.key),
        onkeydown: (event) => this.walk(event),
      }),
    }));
    this.bar.replaceChildren(...this.tabs.map((tab) => tab.node));
    const gone = this.open && !(this.open in this.places); // another task has other tabs
    if (gone) this.choose(this.tabs[0].key);
    else if (this.open === undefined && matchMedia(ROOMY).matches) this.choose(this.tabs[0].key);
    else this.mark();
  }

  choose(key) {
    this.open = key;
    this.clear();
    this.mark();
    this.columns = this.fitting();
    this.channel.act("tab", { key, columns: this.columns });
  }

  // How many pictures fit side by side: the one thing about the window that Python has to know.
  fitting() {
    return Math.max(2, Math.min(12, Math.floor(this.body.clientWidth / TILE)));
  }

  measure() {
    const columns = this.fitting();
    if (!this.open || columns === this.columns) return;
    this.columns = columns;
    this.channel.act("look", { key: "columns", value: columns });
  }

  // Chosen by hand: the same one again closes it, and what opens comes into sight.
  press(key) {
    this.choose(key === this.places[this.open] ? null : key);
    if (this.open) this.body.scrollIntoView({ block: "nearest" });
  }

  // Opened by what happens elsewhere: it comes into sight, and stays open if it was.
  reveal(key) {
    if (key !== this.open) this.choose(key);
    this.bar.scrollIntoView({ block: "start" });
  }

  mark() {
    this.body.hidden = !this.open;
    for (const [place, tab] of this.tabs.entries()) {
      const chosen = tab.key === this.places[this.open];
      tab.node.setAttribute("aria-selected", chosen);
      tab.node.tabIndex = chosen || (!this.open && place === 0) ? 0 : -1;
      if (chosen) this.body.setAttribute("aria-label", tab.label);
    }
  }

  walk(event) {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!way) return;
    const place = this.tabs.findIndex((tab) => tab.node === event.target);
    const next = this.tabs[(place + way + this.tabs.length) % this.tabs.length];
    this.choose(next.key);
    next.node.focus();
  }

  clear() {
    this.drop();
    this.inside.replaceChildren();
    this.body.classList.remove("pale");
    delete this.body.dataset.seq;
  }

  drop() {
    this.picture?.close();
    this.picture = null;
  }

  show(message) {
    if (message.key !== this.open) return;
    // What the same view showed stays, paler, with its controls: nothing jumps while it is renewed.
    const stays = message.keep && (this.picture || this.written?.isConnected) && message.controls[0].value === this.views.view;
    if (!stays) this.views.show(message.controls);
    this.body.classList.toggle("pale", Boolean(stays));
    const held = this.row ? [...this.row.children].indexOf(document.activeElement) : -1;
    if (message.figure) this.showFigure(message);
    else if (message.written) this.showWritten(message);
    else if (message.note) stays || this.showNote(message.note);
    else this.showOther(message);
    this.showButtons(message.buttons, held);
    this.body.dataset.seq = message.seq;
  }

  showNote(text) {
    this.drop();
    this.inside.replaceChildren(h("p", { className: "empty", text }));
  }

  // The row stays above whatever comes below it, and the one that had the focus keeps it.
  showButtons(buttons, held) {
    if (this.row?.isConnected) return;
    this.row = buttons ? buttonRow(buttons, this.channel) : null;
    if (this.row) this.inside.prepend(this.row);
    this.row?.children[held]?.focus();
  }

  showFigure(message) {
    if (!this.picture) {
      const tools = pictureTools(this.words, this.channel, () => this.picture, message.key);
      this.picture = new Picture(this.channel, tools, () => this.status.tell(this.words.drawing_failed));
      this.picture.onPoint = ({ x, y, customdata }) =>
        customdata?.act
          ? this.channel.act(customdata.act, customdata)
          : this.channel.act("look", { key: "tile", value: { x, y } });
      this.inside.replaceChildren(this.picture.node);
    }
    const height = message.height ?? message.figure.layout.height;
    this.picture.plot.style.height = height ? `${height}px` : "";
    this.picture.show(message.figure, message.seq);
  }

  showWritten(message) {
    const csv = csvButton(this.words, this.channel, message.key);
    this.drop();
    this.written = writtenTexts(message.written, h("div", { className: "picture-tools" }, csv));
    this.inside.replaceChildren(this.written);
  }

  showOther(message) {
    const content = JSON.stringify([message.table, message.texts]);
    if (content === this.content && this.inside.childElementCount) return;
    this.content = content;
    this.drop();
    const held = document.activeElement?.dataset?.key;
    this.inside.replaceChildren(message.table ? this.table(message.table) : this.texts(message.texts));
    if (held) this.body.querySelector(`[data-key="${held}"]`)?.focus();
  }

  table({ head, rows, empty, action, button, foot }) {
    if (!rows.length) return h("p", { className: "empty", text: empty });
    const line = ({ key, chosen, cells }) =>
      h(
        "tr",
        { className: chosen ? "chosen" : "", "aria-current": chosen ? "true" : null },
        ...cells.map((text) => h("td", { text })),
        h(
          "td",
          {},
          chosen || key === null
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
        const whole = link && this.status.ownAddress ? new URL(text, location.href).href : text;
        return h(
          "section",
          {},
          h(
            "div",
            { className: "text-head" },
            h("h3", { text: title }),
            copyButton(this.words, () => whole, this.status, "quiet small"),
          ),
          h("pre", { tabIndex: 0, text: whole }),
        );
      }),
    );
  }
}

// The two small buttons in a picture's corner: the picture itself, and the data behind it.
export function pictureTools(words, channel, picture, key) {
  const save = async () => {
    const ground = getComputedStyle(picture().node).getPropertyValue("--panel").trim();
    saveBlob(await picture().save(ground), `${key}.png`);
  };
  return h(
    "div",
    { className: "picture-tools" },
    toolButton(words.png_short, words.png, save),
    csvButton(words, channel, key),
  );
}

function csvButton(words, channel, key) {
  return toolButton(words.csv_short, words.csv, () => channel.act(`${key}_csv`));
}

function toolButton(short, long, onclick) {
  return h("button", { type: "button", className: "quiet small", text: short, title: long, "aria-label": long, onclick });
}
