// @ts-check
// Inputs for a number. Input that is not allowed is answered by a sentence next to it, and
// changes nothing.

import { h, setText, uniqueId } from "./dom.js";

/**
 * @typedef {object} Bounds
 * @property {number | null} [above] - excluded
 * @property {number} [least] - included
 * @property {number | null} most - included
 * @property {boolean} [integer]
 * @property {boolean} [required]
 * @property {string} text - the answer to other input
 */
/** @typedef {{ value: string, validity: { badInput: boolean, customError?: boolean } }} Typed */

// The number that was typed, null for none, or undefined if it is not allowed.
/** @type {(input: Typed, bounds: Omit<Bounds, "text">) => number | null | undefined} */
export function numberOf({ value, validity }, { above, least, most, integer, required }) {
  if (validity.badInput || validity.customError) return undefined;
  if (value.trim() === "") return required ? undefined : null;
  const number = Number(value);
  const isAbove = number > (above ?? -Infinity) && number >= (least ?? -Infinity);
  const allowed = Number.isFinite(number) && isAbove && number <= (most ?? Infinity);
  return allowed && (!integer || Number.isInteger(number)) ? number : undefined;
}

// Adds that answer to an input. `check` shows it and returns the number; `error` is to be displayed, and `clear`
// removes it. The answer may name what counts until the input is corrected.
/** @typedef {{ error: HTMLElement, check: () => number | null | undefined, clear: () => void }} Answered */
/** @type {(input: HTMLInputElement, bounds: Bounds, last?: () => unknown) => Answered} */
export function answered(input, bounds, last = () => "") {
  const error = h("span", { className: "help problem", role: "alert", id: uniqueId() });
  const help = input.getAttribute("aria-describedby");
  const mark = (/** @type {boolean} */ wrong) => {
    const asked = input.validity.customError && input.validationMessage;
    setText(error, wrong ? asked || bounds.text.replace("{value}", String(last())) : "");
    input.setAttribute("aria-invalid", String(wrong));
    const described = wrong ? error.id : help;
    if (described) input.setAttribute("aria-describedby", described);
    else input.removeAttribute("aria-describedby");
  };
  return {
    error,
    check() {
      const number = numberOf(input, bounds);
      mark(number === undefined);
      return number;
    },
    clear: () => mark(false),
  };
}
