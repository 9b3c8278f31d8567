// @ts-check
// The names of landmarks, which screen readers list: those of a second display in a document have its number.

const LANDMARKS = ":is(section, form, nav)[aria-label]";

// The smallest number that no other display in the document has.
/** @param {number[]} others */
export function freeNumber(others) {
  let number = 1;
  while (others.includes(number)) number += 1;
  return number;
}

// The name of a landmark in the display with this number.
/** @type {(name: string, number: number) => string} */
export function numbered(name, number) {
  const ending = ` (${number})`;
  return number === 1 || name.endsWith(ending) ? name : name + ending;
}

// Returns a function that names the landmarks of a display; called after each change of what it shows.
/** @type {(root: HTMLElement) => () => void} */
export function landmarks(root) {
  const others = [...document.querySelectorAll(".wb[data-number]")].map((other) => other.getAttribute("data-number"));
  const number = freeNumber(others.map(Number));
  root.dataset.number = String(number);
  return () => {
    if (number === 1) return;
    for (const node of root.querySelectorAll(LANDMARKS)) {
      node.setAttribute("aria-label", numbered(node.getAttribute("aria-label") ?? "", number));
    }
  };
}
