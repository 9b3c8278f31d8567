// @ts-check
// Inputs for a number that may be empty. Input that is not allowed is answered by a sentence next to it, and
// changes nothing.

import { h, setText, uniqueId } from "./dom.js";

/** @typedef {{ above: number | null, most: number | null, required?: boolean, text: string }} Bounds */
/** @typedef {{ value: string, validity: { badInput: boolean, customError?: boolean } }} Typed */

// The number that was typed, null for none, or undefined if it is not allowed.
/** @type {(input: Typed, bounds: Omit<Bounds, "text">) => number | null | undefined} */
export function numberOf({ value, validity }, { above, most, required }) {
  if (validity.badInput || validity.customError) return undefined;
  if (value.trim() === "") return required ? undefined : null;
  const number = Number(value);
  const allowed = Number.isFinite(number) && number > (above ?? -Infinity) && number <= (most ?? Infinity);
  return allowed ? number : undefined;
}

// Adds that answer to an input. `check` shows it and returns the number; `error` is to be displayed.
/** @type {(input: HTMLInputElement, bounds: Bounds) => { error: HTMLElement, check: () => number | null | undefined }} */
export function answered(input, bounds) {
  const error = h("span", { className: "help problem", role: "alert", id: uniqueId() });
  return {
    error,
    check() {
      const number = numberOf(input, bounds);
      const wrong = number === undefined;
      setText(error, wrong ? (input.validity.customError && input.validationMessage) || bounds.text : "");
      input.setAttribute("aria-invalid", String(wrong));
      if (wrong) input.setAttribute("aria-describedby", error.id);
      else input.removeAttribute("aria-describedby");
      return number;
    },
  };
}
