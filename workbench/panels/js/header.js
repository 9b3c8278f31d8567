// @ts-check
// The header: pages, model selector, uploads, undo and redo, theme.

import { isStandalone, setKey } from "./address.js";
import { explanations, h, setDisabled, term } from "./dom.js";
import { keysText } from "./undo_keys.js";
import { Upload } from "./upload.js";

/** @import { Channel } from "./channel.js" */
/** @import { Labels, Page, State } from "./types" */

export class Header {
  /** @type {HTMLButtonElement} */ undo;
  /** @type {HTMLButtonElement} */ redo;
  /** @type {HTMLSelectElement} */ models;
  /** @type {Record<string, HTMLButtonElement>} */ links;
  /** @type {Page["pages"]} */ pages;
  /** @type {State | undefined} */ shown;

  /**
   * @param {Channel} channel
   * @param {{ toggle(): void }} theme
   * @param {(key: string) => void} go opens a page
   * @param {(lang: string) => void} onLanguage displays the app again, in another language
   */
  constructor(channel, theme, go, onLanguage) {
    this.channel = channel;
    this.theme = theme;
    this.go = go;
    this.onLanguage = onLanguage;
    this.upload = new Upload(channel);
    this.node = h(isStandalone() ? "header" : "div", { className: "top" }); // a notebook has its own
  }

  /** @param {Page} page */
  build(page) {
    const { labels } = page;
    this.pages = page.pages;
    const focused = document.activeElement === this.models;
    if (page.upload) this.upload.build(labels, page.upload);
    this.upload.trial.build(page.trial);
    this.models = this.modelSelector(page);
    this.node.replaceChildren(
      h(isStandalone() ? "h1" : "p", { className: "name", text: labels.title }), // a notebook has its own heading
      this.navigation(page),
      this.models,
      ...(page.upload ? [this.upload.node] : []),
      this.tools(labels),
    );
    if (focused) this.models.focus();
  }

  /** @param {Page} page */
  navigation({ labels, pages }) {
    this.links = Object.fromEntries(
      pages.map(({ key, label }) => [key, h("button", { type: "button", text: label, onclick: () => this.go(key) })]),
    );
    return h("nav", { className: "pages", "aria-label": labels.pages }, ...Object.values(this.links));
  }

  // Marks the open page, and hides what changes nothing on it.
  /** @param {string} open */
  mark(open) {
    for (const [key, link] of Object.entries(this.links)) {
      if (key === open) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    for (const { key, model, recipe, goal } of this.pages) {
      if (key !== open) continue;
      this.models.hidden = this.upload.node.hidden = !model;
      this.undo.hidden = this.redo.hidden = !recipe && !goal;
    }
    if (this.shown) this.show(this.shown);
  }

  // Goes one step in the history, if there is one.
  /** @param {"undo" | "redo"} name */
  step(name) {
    if (this.shown?.[name]) this.channel.act(name);
  }

  // Shows all texts in another language; a reload keeps it.
  /** @param {string} lang */
  changeLanguage(lang) {
    setKey("lang", lang);
    this.onLanguage(lang);
  }

  /** @param {Page} page */
  modelSelector({ labels, header }) {
    /** @type {HTMLSelectElement} */
    const selector = h(
      "select",
      {
        "aria-label": labels.model,
        className: "models",
        onchange: () => this.channel.act("model", { key: selector.value }),
      },
      ...header.tasks.map((task) =>
        h(
          "optgroup",
          { label: task.title },
          ...task.models.map((model) => h("option", { value: model.value, text: model.label })),
        ),
      ),
    );
    selector.value = header.selected;
    nameInFull(selector);
    return selector;
  }

  /** @param {Labels} labels */
  tools(labels) {
    // Narrow headers show the icon alone.
    /** @type {(name: "undo" | "redo", icon: string, keys: string) => HTMLButtonElement} */
    const button = (name, icon, keys) =>
      h(
        "button",
        {
          type: "button",
          className: "quiet step",
          title: `${labels[name]} (${keysText(name, labels[`${name}_keys`])})`,
          "aria-label": labels[name],
          "aria-keyshortcuts": `Control+${keys} Meta+${keys}`,
          "data-icon": icon,
          onclick: () => this.step(name),
        },
        h("span", { text: labels[name] }),
      );
    this.undo = button("undo", "↶", "Z");
    this.undo.dataset.tour = "undo";
    this.redo = button("redo", "↷", "Shift+Z");
    return h(
      "div",
      { className: "tools", role: "toolbar", "aria-label": labels.title },
      this.undo,
      this.redo,
      h(
        "button",
        {
          type: "button",
          className: "quiet step",
          lang: labels.other_lang,
          "aria-label": labels.other_language,
          "data-icon": labels.other_language_short,
          onclick: () => this.changeLanguage(labels.other_lang),
        },
        h("span", { text: labels.other_language }),
      ),
      h("button", {
        type: "button",
        className: "quiet theme",
        title: labels.theme,
        "aria-label": labels.theme,
        text: "◐",
        onclick: () => this.theme.toggle(),
      }),
    );
  }

  /** @param {State} state */
  show(state) {
    this.shown = state;
    setDisabled(this.undo, !state.undo);
    setDisabled(this.redo, !state.redo);
    this.showStudent(state);
  }

  // While a student is selected, it is an entry of its own.
  /** @param {State} state */
  showStudent({ model, student }) {
    /** @type {HTMLOptionElement | null} */
    const entry = this.models.querySelector(":scope > option");
    if (entry?.value !== student?.value) {
      entry?.remove(); // an unchanged list stays open
      if (student) this.models.prepend(h("option", { value: student.value, text: student.label }));
    }
    this.models.value = student?.value ?? model;
    nameInFull(this.models, student?.help);
  }
}

// A narrow selector cuts off a long name; its tooltip has it in full.
/** @type {(selector: HTMLSelectElement, name?: string) => void} */
function nameInFull(selector, name) {
  selector.title = name ?? selector.selectedOptions[0]?.textContent ?? "";
}

// Recipes to start from, and the button that selects none.
/** @type {(page: Page, channel: Channel) => HTMLElement} */
export function presetRow({ labels, presets }, channel) {
  /** @type {(text: string, title: string | null, onclick: () => void) => HTMLElement} */
  const button = (text, title, onclick) =>
    h("button", { type: "button", className: "quiet small", title, text, onclick });
  return h(
    "div",
    { className: "presets", role: "group", "aria-label": labels.presets },
    h("span", { className: "unit", text: labels.presets }),
    ...presets.map(({ key, label, help }) => button(label, help, () => channel.act("preset", { key }))),
    button(labels.reset, null, () => channel.act("reset")),
  );
}

// The names of the model and its data, and what it does with them.
/** @type {(page: Page) => HTMLElement} */
export function about({ header }) {
  const { name, text } = header.about;
  return h("p", { className: "about" }, h("strong", { text: name }), ` ${text}`);
}

// Accuracy and size of the original model.
/** @type {(page: Page) => HTMLElement} */
export function facts({ header, labels }) {
  const terms = header.facts.map(({ value, label, help }) => ({ label: label ? `${value} ${label}` : value, help }));
  return h(
    "div",
    { className: "facts" },
    ...terms.map(({ label, help }) => term(label, help, "fact")),
    explanations(labels.explanations, terms),
  );
}
