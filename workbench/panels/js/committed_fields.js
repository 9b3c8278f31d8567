// @ts-check
// Fields whose value is a step of the history. While one holds no edit, the keys of undo and redo are those of the
// page, and the field shows what they select, although it has the focus.

/** @typedef {Pick<HTMLInputElement, "value" | "ariaInvalid" | "validity" | "addEventListener">} Input */

/** @type {WeakMap<object, { committed: string, follows: boolean }>} */
const committedFields = new WeakMap();

// Makes an input such a field; its own listener of "change" must have been added before.
/** @param {Input} input */
export function commits(input) {
  const field = { committed: input.value, follows: false };
  committedFields.set(input, field);
  input.addEventListener("input", () => {
    field.follows = false;
  });
  input.addEventListener("change", () => {
    if (input.ariaInvalid !== "true") field.committed = input.value;
  });
}

// Whether an element is such a field and holds no edit.
/** @param {object} element */
export function isCommitted(element) {
  const field = committedFields.get(element);
  const { value, validity } = /** @type {Input} */ (element);
  return Boolean(field) && field?.committed === value && !validity.badInput;
}

// Lets a field show the next values until something is typed.
/** @param {object} element */
export function follow(element) {
  const field = committedFields.get(element);
  if (field) field.follows = true;
}

// Whether a field shows the selected value although it has the focus.
/** @param {object} element */
export const isFollowing = (element) => Boolean(committedFields.get(element)?.follows);

// Shows a selected value in such a field.
/** @type {(input: Input, value: string) => void} */
export function showCommitted(input, value) {
  const field = committedFields.get(input);
  if (field) field.committed = value;
  if (input.value !== value) input.value = value;
}
