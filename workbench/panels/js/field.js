// @ts-check
// Controls for single fields, built from the descriptions that Python sends. Each function returns
// {node, show(value)}: `show` sets the control without calling `change`.

import { h, setText, term, uniqueId } from "./dom.js";

/** @import { Field, Values } from "./types" */
/** @typedef {{ node: HTMLElement, show: (value: any) => void }} MadeControl */
/** @typedef {(field: Field, change: (value: any) => void) => MadeControl} MakeControl */

/** @type {(field: Field, value: number) => string} */
export function readout(field, value) {
  const shown = field.percent ? Math.round(value * 1000) / 10 : value;
  return `${shown}${field.unit}`;
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
    "aria-label": field.label,
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
      h("div", { className: "field-head" }, term(field.label, field.help), output),
      input,
    ),
    show(value) {
      input.value = String(value);
      paint(value); // may lie between two steps of the slider
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
  const name = uniqueId();
  const radios = field.choices.map((choice) => {
    const input = h("input", {
      type: "radio",
      name,
      value: choice.value,
      onchange: () => change(choice.value),
    });
    const label = h("label", { title: choice.help }, input, h("span", { text: choice.label }));
    return { choice, input, label };
  });
  return {
    node: h(
      "div",
      { className: "field" },
      h("div", { className: "field-head" }, term(field.label, field.help)),
      h(
        "div",
        { className: "segments", role: "radiogroup", "aria-label": field.label },
        ...radios.map((radio) => radio.label),
      ),
    ),
    show(value) {
      for (const radio of radios) radio.input.checked = radio.choice.value === value;
    },
  };
}

/** @type {MakeControl} */
export function select(field, change) {
  const id = uniqueId();
  const input = h(
    "select",
    { id, "aria-label": field.label },
    ...field.choices.map((choice) => h("option", { value: choice.value, text: choice.label })),
  );
  const help = h("p", { className: "help" });
  const explain = () => setText(help, field.choices[input.selectedIndex]?.help || "");
  input.addEventListener("change", () => {
    explain();
    change(field.choices[input.selectedIndex].value);
  });
  return {
    node: h("div", { className: "field row" }, term(field.label, field.help), input, help),
    show(value) {
      input.selectedIndex = field.choices.findIndex((choice) => choice.value === value);
      explain();
    },
  };
}

/** @type {MakeControl} */
export function number(field, change) {
  let last = field.value; // restored after invalid input
  /** @type {HTMLInputElement} */
  const input = h("input", {
    type: "number",
    min: field.low,
    max: field.high,
    step: field.step || "any",
    "aria-label": field.label,
    onchange: () => {
      if (input.value !== "" && input.checkValidity()) {
        last = Number(input.value);
        return change(last);
      }
      input.reportValidity();
      if (last !== undefined) input.value = String(last);
    },
  });
  return {
    node: h("div", { className: "field row" }, term(field.label, field.help), input),
    show(value) {
      last = value;
      if (document.activeElement !== input) input.value = String(value);
    },
  };
}

/** @type {MakeControl} */
export function control(field, change) {
  if (field.kind === "choice") return (field.primary ? segments : select)(field, change);
  if (field.kind === "real" && field.primary) return slider(field, change);
  return number(field, change);
}

// Whether a field has an effect with the current values.
/** @type {(field: Field, values: Values) => boolean} */
export function applies(field, values) {
  if (!field.visible_if) return true;
  const [key, allowed] = field.visible_if;
  return allowed.includes(values[key]);
}
