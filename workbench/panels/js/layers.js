// The table of layers: a column for each field that speaks of layers by name. An empty cell follows
// the control above it.

import { h, term } from "./dom.js";

export function layerTable(fields, layers, words, change) {
  const columns = fields.map((field) => ({ field, ...column(field, layers, words, change) }));
  const head = h(
    "tr",
    {},
    ...columns.map(({ field }) =>
      h("th", { scope: "col" }, term(`${field.label}${field.unit && ` (${field.unit.trim()})`}`, field.help)),
    ),
  );
  const bodies = layers.map((layer) =>
    h(
      "tbody",
      {},
      h("tr", {}, h("th", { scope: "rowgroup", colSpan: columns.length, text: layer })),
      h("tr", {}, ...columns.map(({ cells }) => h("td", {}, cells[layer].node))),
    ),
  );
  return {
    node: h("div", { className: "scroll" }, h("table", { className: "layers" }, h("thead", {}, head), ...bodies)),
    show(values) {
      for (const { field, cells } of columns) {
        for (const layer of layers) cells[layer].show(values[field.key]);
      }
    },
  };
}

function column(field, layers, words, change) {
  let current = field.kind === "names" ? [] : {};
  const make = field.kind === "names" ? checkbox : field.choices.length ? choice : share;
  const cells = {};
  for (const layer of layers) {
    const cell = make(field, layer, words, (value) => change(field.key, updated(field, current, layer, value)));
    cells[layer] = {
      node: cell.node,
      show(value) {
        current = value;
        cell.show(field.kind === "names" ? value.includes(layer) : value[layer]);
      },
    };
  }
  return { cells };
}

function updated(field, current, layer, value) {
  if (field.kind === "names") {
    const others = current.filter((name) => name !== layer);
    return value ? [...others, layer] : others;
  }
  const next = { ...current };
  if (value === undefined) delete next[layer];
  else next[layer] = value;
  return next;
}

function checkbox(field, layer, words, change) {
  const input = h("input", {
    type: "checkbox",
    "aria-label": `${field.label}: ${layer}`,
    onchange: () => change(input.checked),
  });
  return { node: input, show: (value) => (input.checked = value) };
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
    node: input,
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
    node: input,
    show(value) {
      if (document.activeElement === input) return;
      input.value = value === undefined ? "" : Math.round(value * scale * 1000) / 1000;
    },
  };
}
