// The header: model selector and facts, uploads, undo and redo, presets, theme.

import { h, term } from "./dom.js";
import { Upload } from "./upload.js";

export class Header {
  constructor(channel, theme) {
    this.channel = channel;
    this.theme = theme;
    this.upload = new Upload(channel);
    this.node = h("header", { className: "top" });
  }

  build(page) {
    const { labels, header, presets } = page;
    const act = (name) => () => this.channel.act(name);
    const button = (name) =>
      h("button", { type: "button", className: "quiet", onclick: act(name), text: labels[name] });
    this.undo = button("undo");
    this.redo = button("redo");
    this.models = h(
      "select",
      {
        "aria-label": labels.model,
        className: "models",
        onchange: (event) => this.channel.act("model", { key: event.target.value }),
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
    if (page.upload) this.upload.build(page);
    this.node.replaceChildren(
      h("h1", { text: labels.title }),
      this.models,
      ...(page.upload ? [this.upload.node] : []),
      h(
        "p",
        { className: "facts" },
        ...header.facts.map((fact) =>
          term(fact.label ? `${fact.value} ${fact.label}` : fact.value, fact.help, "fact"),
        ),
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

  menu(labels, presets) {
    const details = h("details", { className: "menu" });
    const close = () => {
      details.open = false;
    };
    details.append(
      h("summary", { className: "quiet", text: labels.presets }),
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
                details.querySelector("summary").focus();
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
      details.querySelector("summary").focus();
    });
    details.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !details.contains(event.relatedTarget)) close();
    });
    return details;
  }

  show(state) {
    this.undo.disabled = !state.undo;
    this.redo.disabled = !state.redo;
    this.models.value = state.model;
  }
}
