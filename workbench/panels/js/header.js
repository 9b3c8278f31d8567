// The strip at the top: which model, how good it is untouched, steps back and forth, presets, theme.

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
    const { words, header, presets } = page;
    const act = (name) => () => this.channel.act(name);
    const button = (name) =>
      h("button", { type: "button", className: "quiet", onclick: act(name), text: words[name] });
    this.undo = button("undo");
    this.redo = button("redo");
    this.models = h(
      "select",
      {
        "aria-label": words.model,
        className: "models",
        onchange: (event) => this.channel.act("model", { key: event.target.value }),
      },
      ...header.tasks.map((task) =>
        h(
          "optgroup",
          { label: task.title },
          ...task.models.map((one) => h("option", { value: one.value, text: one.label })),
        ),
      ),
    );
    this.models.value = header.chosen;
    if (page.upload) this.upload.build(page);
    this.node.replaceChildren(
      h("h1", { text: words.title }),
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
        { className: "tools", role: "toolbar", "aria-label": words.title },
        this.undo,
        this.redo,
        button("reset"),
        this.menu(words, presets),
        h("button", {
          type: "button",
          className: "quiet theme",
          title: words.theme,
          "aria-label": words.theme,
          text: "◐",
          onclick: () => this.theme.turn(),
        }),
      ),
    );
  }

  menu(words, presets) {
    const details = h("details", { className: "menu" });
    const close = () => {
      details.open = false;
    };
    details.append(
      h("summary", { className: "quiet", text: words.presets }),
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
