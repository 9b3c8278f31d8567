// @ts-check
// Controls for single fields, built from the descriptions that Python sends. Each function returns
// {node, show(value)}: `show` sets the control without calling `change`.

import { describe, h, setText, term, uniqueId } from "./dom.js";
import { answered } from "./limits.js";

/** @import { Bounds } from "./limits.js" */
/** @import { Choice, Field, Values } from "./types" */
/** @typedef {{ node: HTMLElement, show: (value: any) => void }} MadeControl */
/** @typedef {(field: Field, change: (value: any) => void) => MadeControl} MakeControl */

/** @type {(field: Field, value: number) => string} */
export function readout(field, value) {
  const shown = field.percent ? Math.round(value * 1000) / 10 : value;
  return `${shown}${field.unit}`;
}

// The label of a field, whose explanation describes its control.
/** @type {(field: Field, control: HTMLElement) => HTMLElement} */
function labelOf(field, control) {
  const label = term(field.label, field.help);
  describe(control, label);
  return label;
}

/** @type {MakeControl} */
export function slider(field, change) {
  const id = uniqueId();
  const output = h("output", { className: "readout", htmlFor: id });
  const input = h("input", {
    type: "range",
    id,
    min: field.low,
    max: field.high,
    step: field.step,
    "aria-label": field.name,
  });
  const paint = (value = Number(input.value)) => {
    const share = (value - field.low) / (field.high - field.low);
    input.style.setProperty("--share", String(share));
    input.setAttribute("aria-valuetext", readout(field, value));
    setText(output, readout(field, value));
  };
  input.addEventListener("input", () => {
    paint();
    change(Number(input.value));
  });
  input.addEventListener("keydown", (event) => jump(event, input, field));
  return {
    node: h(
      "div",
      { className: "field slider" },
      h("div", { className: "field-head" }, labelOf(field, input), output),
      input,
    ),
    show(value) {
      input.value = String(value);
      paint(value); // may lie between two steps of the slider
    },
  };
}

// A slider whose stops are the choices of the field, each with a label below the track.
/** @type {MakeControl} */
export function steps(field, change) {
  const id = uniqueId();
  const last = field.choices.length - 1;
  const output = h("output", { className: "readout", htmlFor: id });
  const input = h("input", { type: "range", id, min: 0, max: last, step: 1, "aria-label": field.name });
  const stops = field.choices.map((choice, index) => {
    const stop = h("span", { text: choice.label, onclick: () => move(index) });
    stop.style.setProperty("--at", String(index / last));
    return stop;
  });
  const paint = () => {
    const { spoken, label } = field.choices[Number(input.value)];
    input.style.setProperty("--share", String(Number(input.value) / last));
    input.setAttribute("aria-valuetext", spoken || label);
    setText(output, label);
    for (const [index, stop] of stops.entries()) stop.classList.toggle("current", index === Number(input.value));
  };
  /** @param {number} index */
  const move = (index) => {
    input.value = String(index);
    input.dispatchEvent(new Event("input"));
  };
  input.addEventListener("input", () => {
    paint();
    change(field.choices[Number(input.value)].value);
  });
  return {
    node: h(
      "div",
      { className: "field slider steps" },
      h("div", { className: "field-head" }, labelOf(field, input), output),
      input,
      h("div", { className: "stops", "aria-hidden": "true" }, ...stops),
    ),
    show(value) {
      input.value = String(field.choices.findIndex((choice) => choice.value === value));
      paint();
    },
  };
}

/** @type {Record<string, number>} */
const DIRECTIONS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };

// Shift and an arrow key move the slider by ten steps; an arrow key alone moves it by one.
/** @type {(event: KeyboardEvent, input: HTMLInputElement, field: Field) => void} */
function jump(event, input, field) {
  const direction = DIRECTIONS[event.key];
  if (!event.shiftKey || !direction) return;
  event.preventDefault();
  input.value = String(Number(input.value) + direction * 10 * field.step);
  input.dispatchEvent(new Event("input"));
}

/** @type {MakeControl} */
export function segments(field, change) {
  const { node, show } = radios(field.name, field.choices, change);
  const head = h("div", { className: "field-head" }, labelOf(field, node));
  return { node: h("div", { className: "field" }, head, node), show };
}

// A row of which exactly one choice is selected.
/** @type {(label: string, choices: Choice[], change: (value: any) => void) => MadeControl} */
export function radios(label, choices, change) {
  const name = uniqueId();
  const made = choices.map(({ value, label, help }) => {
    const input = h("input", { type: "radio", name, value, onchange: () => change(value) });
    return { value, input, node: h("label", { title: help }, input, h("span", { text: label })) };
  });
  return {
    node: h("div", { className: "segments", role: "radiogroup", "aria-label": label }, ...made.map(({ node }) => node)),
    show(value) {
      for (const radio of made) radio.input.checked = radio.value === value;
    },
  };
}

/** @type {MakeControl} */
export function select(field, change) {
  const id = uniqueId();
  const input = h(
    "select",
    { id, "aria-label": field.name },
    ...field.choices.map((choice) => h("option", { value: choice.value, text: choice.label })),
  );
  const help = h("p", { className: "help" });
  const explain = () => setText(help, field.choices[input.selectedIndex]?.help || "");
  input.addEventListener("change", () => {
    explain();
    change(field.choices[input.selectedIndex].value);
  });
  return {
    node: h("div", { className: "field row" }, labelOf(field, input), input, help),
    show(value) {
      input.selectedIndex = field.choices.findIndex((choice) => choice.value === value);
      explain();
    },
  };
}

/** @type {MakeControl} */
export function number(field, change) {
  let last = field.value; // the last one that was allowed
  /** @type {HTMLInputElement} */
  const input = h("input", {
    type: "number",
    min: field.low,
    max: field.high,
    step: field.step || "any",
    "aria-label": field.name,
  });
  const label = labelOf(field, input);
  const { error, check, clear } = answered(input, /** @type {Bounds} */ (field.bounds), () => last);
  input.addEventListener("change", () => {
    const value = check();
    if (value === undefined || value === null) return;
    last = value;
    change(value);
  });
  return {
    node: h("div", { className: "field row" }, label, input, error),
    show(value) {
      const kept = document.activeElement === input || (error.textContent && value === last); // until it is corrected
      last = value;
      if (kept) return;
      clear();
      input.value = String(value);
    },
  };
}

/** @type {MakeControl} */
export function control(field, change) {
  if (field.stepped) return steps(field, change);
  if (field.kind === "choice") return (field.primary ? segments : select)(field, change);
  if (field.kind === "real" && field.primary) return slider(field, change);
  return number(field, change);
}

// Whether a field has an effect with the current values: its part is on, or set for some layer, and
// the field on which it depends has one of the values.
/** @type {(field: Field, values: Values) => boolean} */
export function applies({ gate, visible_if }, values) {
  const byLayer = gate?.layers ? Object.keys(values[gate.layers]).length > 0 : false;
  if (gate && !byLayer && values[gate.key] === gate.off) return false;
  if (!visible_if) return true;
  const [key, allowed] = visible_if;
  return allowed.includes(values[key]) || (byLayer && key === gate?.key);
}
