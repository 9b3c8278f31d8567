// The bank: a row for each layer, with what it is, what it takes, and a cell for each field that speaks
// of layers by name. An empty cell follows the control above. "Leave alone" is one tick for all parts.

import { h, setText, term } from "./dom.js";

export class Bank {
  // `change(layer, values)` is called with the values that a hand has changed.
  constructor(fields, rows, words, change, hold) {
    this.values = {};
    this.fields = fields.filter((field) => field.kind === "layers");
    this.exempting = fields.filter((field) => field.kind === "names");
    this.rows = rows.map((row) => this.row(row, words, change));
    this.lock = h("input", { type: "checkbox", onchange: () => hold(this.lock.checked) });
    this.held = h("span", { className: "held", role: "status" });
    this.node = h(
      "div",
      { className: "bank" },
      h(
        "div",
        { className: "hold" },
        h("label", {}, this.lock, h("span", { className: "spoken", text: words.hold })),
        term(words.hold, words.hold_help),
        this.held,
      ),
      h("ul", { className: "rows", tabIndex: 0, "aria-label": words.layers }, ...this.rows.map((row) => row.node)),
    );
  }

  row({ name, about, work, together }, words, change) {
    const bytes = meter(words.share_bytes);
    const load = meter(words.share_work);
    load.show(work);
    const fields = this.fields.filter((field) => together[field.key].length);
    const cells = fields.map((field) => {
      const make = field.choices.length ? choice : share;
      const made = make(field, name, words, (value) =>
        change(name, { [field.key]: withRows(this.values[field.key], together[field.key], value) }),
      );
      return { field, ...made };
    });
    const leave = h("input", { type: "checkbox", "aria-label": `${words.leave}: ${name}` });
    leave.addEventListener("change", () => {
      const lists = this.exempting.map(({ key }) => [key, listed(this.values[key], name, leave.checked)]);
      change(name, Object.fromEntries(lists));
    });
    return {
      name,
      bytes,
      cells,
      leave,
      node: h(
        "li",
        {},
        h(
          "div",
          { className: "row-head" },
          h("b", { text: name }),
          h("label", { title: words.leave_help }, leave, h("span", { text: words.leave })),
        ),
        h("p", { className: "about", text: about }),
        h("div", { className: "meters" }, bytes.node, load.node),
        h("div", { className: "cells" }, ...cells.map((cell) => cell.node)),
      ),
    };
  }

  show(values) {
    this.values = values;
    for (const { name, cells, leave } of this.rows) {
      const left = this.exempting.filter(({ key }) => values[key].includes(name)).length;
      leave.checked = left === this.exempting.length;
      leave.indeterminate = left > 0 && !leave.checked;
      for (const { field, input, show } of cells) {
        show(values[field.key][name]);
        const own = this.exempting.find(({ key }) => key.split(".")[0] === field.key.split(".")[0]);
        input.disabled = own !== undefined && values[own.key].includes(name);
      }
    }
  }

  // What changes with every file: bytes by layer, and the size that is held.
  showLive({ bytes, held }) {
    for (const row of this.rows) row.bytes.show(bytes[row.name]);
    this.lock.checked = held !== null;
    setText(this.held, held === null ? "" : held.text);
  }
}

function withRows(current, layers, value) {
  const next = { ...current };
  for (const layer of layers) {
    if (value === undefined) delete next[layer];
    else next[layer] = value;
  }
  return next;
}

function listed(current, layer, on) {
  const others = current.filter((name) => name !== layer);
  return on ? [...others, layer] : others;
}

function meter(label) {
  const text = h("span");
  const node = h("span", { className: "meter" }, text);
  return {
    node,
    show(found) {
      setText(text, found ? `${found.text} ${label}` : `… ${label}`);
      node.title = found ? found.help : "";
      node.style.setProperty("--share", found ? found.share : 0);
    },
  };
}

function labelled(field, input) {
  const unit = field.unit ? ` (${field.unit.trim()})` : "";
  const text = field.short + unit;
  return h("label", { className: "cell", title: field.help }, h("span", { text }), input);
}

function choice(field, layer, words, change) {
  const input = h(
    "select",
    { "aria-label": `${field.label}: ${layer}` },
    h("option", { value: "", text: words.same }),
    ...field.choices.map((item) => h("option", { value: item.value, text: item.label })),
  );
  input.addEventListener("change", () => change(field.choices[input.selectedIndex - 1]?.value));
  return {
    node: labelled(field, input),
    input,
    show(value) {
      input.selectedIndex = field.choices.findIndex((item) => item.value === value) + 1;
    },
  };
}

function share(field, layer, words, change) {
  const scale = field.percent ? 100 : 1;
  const input = h("input", {
    type: "number",
    min: field.low * scale,
    max: field.high * scale,
    step: "any",
    placeholder: words.same,
    "aria-label": `${field.label}: ${layer}`,
  });
  input.addEventListener("change", () => {
    if (!input.checkValidity()) return input.reportValidity();
    change(input.value === "" ? undefined : Number(input.value) / scale);
  });
  return {
    node: labelled(field, input),
    input,
    show(value) {
      if (document.activeElement === input) return;
      input.value = value === undefined ? "" : Math.round(value * scale * 1000) / 1000;
    },
  };
}
