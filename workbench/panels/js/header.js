// @ts-check
// The header: model selector and facts, uploads, undo and redo, presets, theme.

import { h, term } from "./dom.js";
import { Upload } from "./upload.js";

/** @import { Channel } from "./channel.js" */
/** @import { Labels, Page, State } from "./types" */

export class Header {
  /** @type {HTMLButtonElement} */ undo;
  /** @type {HTMLButtonElement} */ redo;
  /** @type {HTMLSelectElement} */ models;

  /**
   * @param {Channel} channel
   * @param {{ toggle(): void }} theme
   */
  constructor(channel, theme) {
    this.channel = channel;
    this.theme = theme;
    this.upload = new Upload(channel);
    this.node = h("header", { className: "top" });
  }

  /** @param {Page} page */
  build(page) {
    const { labels, header, presets } = page;
    /** @param {string} name */
    const button = (name) =>
      h("button", { type: "button", className: "quiet", onclick: () => this.channel.act(name), text: labels[name] });
    this.undo = button("undo");
    this.redo = button("redo");
    this.models = h(
      "select",
      {
        "aria-label": labels.model,
        className: "models",
        onchange: () => this.channel.act("model", { key: this.models.value }),
      },
      ...header.tasks.map((task) =>
        h(
          "optgroup",
          { label: task.title },
          ...task.models.map((model) => h("option", { value: model.value, text: model.label })),
        ),
      ),
    );
    this.models.value = header.selected;
    if (page.upload) this.upload.build(page.labels, page.upload);
    this.node.replaceChildren(
      h("h1", { text: labels.title }),
      this.models,
      ...(page.upload ? [this.upload.node] : []),
      h(
        "p",
        { className: "facts" },
        ...header.facts.map((fact) => term(fact.label ? `${fact.value} ${fact.label}` : fact.value, fact.help, "fact")),
      ),
      h(
        "div",
        { className: "tools", role: "toolbar", "aria-label": labels.title },
        this.undo,
        this.redo,
        button("reset"),
        this.menu(labels, presets),
        h("button", {
          type: "button",
          className: "quiet theme",
          title: labels.theme,
          "aria-label": labels.theme,
          text: "◐",
          onclick: () => this.theme.toggle(),
        }),
      ),
    );
  }

  /** @type {(labels: Labels, presets: Page["presets"]) => HTMLElement} */
  menu(labels, presets) {
    const details = h("details", { className: "menu" });
    const close = () => {
      details.open = false;
    };
    const summary = h("summary", { className: "quiet", text: labels.presets });
    details.append(
      summary,
      h(
        "div",
        { className: "menu-list" },
        ...presets.map((preset) =>
          h(
            "button",
            {
              type: "button",
              onclick: () => {
                close();
                summary.focus();
                this.channel.act("preset", { key: preset.key });
              },
            },
            h("b", { text: preset.label }),
            h("span", { text: preset.help }),
          ),
        ),
      ),
    );
    details.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      close();
      summary.focus();
    });
    details.addEventListener("focusout", (event) => {
      if (event.relatedTarget instanceof Node && !details.contains(event.relatedTarget)) close();
    });
    return details;
  }

  /** @param {State} state */
  show(state) {
    this.undo.disabled = !state.undo;
    this.redo.disabled = !state.redo;
    this.models.value = state.model;
  }
}
