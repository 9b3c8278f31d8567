// @ts-check
// The page on which the user runs the compressed file in inference runtimes: a button, the table of
// runtimes and precisions, and the pictures.

import { h, setDisabled, setText } from "./dom.js";
import { copyButton } from "./export.js";
import { Tabs } from "./tabs.js";

/** @import { Context, DeployRow, DeployTexts, Labels, LiveDeploy, Page, State, TabMessage } from "./types" */

export class DeployPage {
  /** @type {DeployTexts} */ texts;
  shown = ""; // the rows that are displayed

  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.tabs = new Tabs(context.channel, context.status, { closable: false });
    this.form = h("form", { className: "panel settings deploying", onsubmit: (event) => this.start(event) });
    this.button = h("button", { type: "submit", className: "primary" });
    const cancel = () => context.channel.act("cancel", { job: "deploy" });
    this.stop = h("button", { type: "button", className: "quiet", onclick: cancel });
    this.file = h("p", { className: "deploy-file" });
    this.headline = h("p", { className: "deploy-headline", role: "status" });
    this.bar = h("progress", { max: 1, hidden: true });
    this.table = h("table", { className: "deploy-table" });
    this.foot = h("p", { className: "foot" });
    this.results = h("section", { className: "panel deploy-results" });
    this.results.append(this.headline, this.bar, this.table, this.foot);
    this.node = h("div", { className: "page deploy" });
    this.node.append(this.form, this.results, this.tabs.bar, this.tabs.body);
  }

  /** @param {Page} page */
  build(page) {
    this.texts = page.deploying;
    const { title, help, start, stop, missing, table, foot } = this.texts;
    this.form.setAttribute("aria-label", title);
    this.results.setAttribute("aria-label", table);
    this.bar.setAttribute("aria-label", title);
    setText(this.button, start);
    setText(this.stop, stop);
    setText(this.foot, foot);
    this.form.replaceChildren(
      h("h2", { text: title }),
      this.file,
      h("p", { className: "help", text: help }),
      h("div", { className: "deploy-buttons" }, this.button, this.stop),
      ...missing.flatMap(({ text, command }) => [
        h("p", { className: "help", text }),
        ...(command ? [this.command(command, page.labels)] : []),
      ]),
    );
    this.shown = "";
    this.tabs.build(page, "deploy");
  }

  // A line for the console, with a button that copies it.
  /** @type {(command: string, labels: Labels) => HTMLElement} */
  command(command, labels) {
    const line = h("pre", { tabIndex: 0, text: command });
    const copy = copyButton(labels, () => command, this.context.status, "quiet small");
    copy.setAttribute("aria-label", `${labels.copy}: ${command}`);
    return h("div", { className: "deploy-command" }, line, copy);
  }

  /** @param {Event} event */
  start(event) {
    event.preventDefault();
    this.context.channel.act("deploy");
  }

  open() {
    this.tabs.resume();
  }

  /** @param {State} state */
  show({ deploying }) {
    setDisabled(this.button, deploying.working);
    if (!deploying.working && document.activeElement === this.stop) this.button.focus();
    this.stop.hidden = !deploying.working;
    setText(this.file, deploying.file);
    setText(this.headline, deploying.headline);
    this.bar.hidden = !deploying.working;
    if (typeof deploying.fraction === "number") this.bar.value = deploying.fraction;
    else this.bar.removeAttribute("value");
    const description = JSON.stringify(deploying.rows);
    if (description === this.shown) return; // keeps the focus
    this.shown = description;
    this.showRows(deploying);
  }

  /** @param {LiveDeploy} deploying */
  showRows({ rows }) {
    const focused = [...this.table.querySelectorAll("button")].indexOf(
      /** @type {HTMLButtonElement} */ (document.activeElement),
    );
    this.table.hidden = this.foot.hidden = !rows.length;
    const { columns, runtime, table } = this.texts;
    const head = [runtime, ...columns.map(({ label }) => label)];
    this.table.replaceChildren(
      h("caption", { text: table }),
      h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col", text })))),
      ...rows.map((row) => this.row(row)),
    );
    this.table.querySelectorAll("button")[focused]?.focus();
  }

  // A runtime with its figures in one line, and sentences and the download below.
  /** @param {DeployRow} row */
  row({ runtime, precision, name, tone, status, cells, notes, download }) {
    const { columns } = this.texts;
    const head = h("th", { scope: "row" }, runtime, h("span", { className: "precision", text: precision }));
    const figures = columns.map(({ key, label }) =>
      h("td", { "data-label": label, "data-empty": !cells[key] }, cells[key] ?? "–"),
    );
    const button =
      download === null
        ? null
        : h("button", {
            type: "button",
            className: "quiet",
            text: this.texts.download,
            "aria-label": `${this.texts.download}: ${name}`,
            onclick: () => this.context.channel.act("download_package", { number: download }),
          });
    const about = h(
      "td",
      { colSpan: columns.length + 1, className: "deploy-about" },
      h("span", { className: "deploy-status", text: status }),
      ...notes.map((text) => h("span", { className: "deploy-note", text })),
      button,
    );
    return h("tbody", { "data-tone": tone }, h("tr", {}, head, ...figures), h("tr", {}, about));
  }

  /** @param {TabMessage} message */
  showTab(message) {
    this.tabs.show(message);
  }

  close() {
    this.tabs.clear();
  }
}
