// @ts-check
// Decimal commas in inputs of numbers. Browsers drop a comma that is typed or pasted there: 1,5 becomes 15.

const GROUPED = /^[+-]?[1-9]\d{0,2}\.\d{3}$/; // with a comma, a thousand or a decimal number

/** @typedef {Pick<HTMLInputElement, "value" | "dataset" | "setCustomValidity"> & { validity: { badInput: boolean } }} Written */

// Writes commas as points inside `root`. A number that may be meant as thousands gets the answer `text()`.
/** @type {(root: HTMLElement, text: () => string) => void} */
export function allowDecimalCommas(root, text) {
  root.addEventListener("beforeinput", (event) => {
    const { target, data } = event;
    if (!isNumberInput(target)) return;
    if (data?.includes(".")) delete target.dataset.comma;
    if (!data?.includes(",")) return;
    if (!document.execCommand("insertText", false, data.replaceAll(",", "."))) return;
    event.preventDefault();
    target.dataset.comma = "true";
    answerThousands(target, text());
  });
  root.addEventListener("input", ({ target }) => isNumberInput(target) && answerThousands(target, text()));
}

/**
 * @param {EventTarget | null} target
 * @returns {target is HTMLInputElement}
 */
function isNumberInput(target) {
  return target instanceof HTMLInputElement && target.type === "number";
}

/** @type {(input: Written, text: string) => void} */
export function answerThousands(input, text) {
  if (input.value === "" && !input.validity.badInput) delete input.dataset.comma;
  input.setCustomValidity(input.dataset.comma && GROUPED.test(input.value) ? text : "");
}
