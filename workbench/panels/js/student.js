// @ts-check
// Which student the controls of distillation select. While none is selected, a choice selects one; a
// temperature needs a teacher, and without a teacher there is no temperature.

/** @import { StudentRules, Value, Values } from "./types" */

/** @type {(rules: StudentRules, values: Values, key: string, value: Value) => Values} */
export function selectStudent({ temperature, teacher, start, alone }, values, key, value) {
  const next = { ...values, [key]: value };
  if (key === temperature) {
    if (value && !next[teacher]) next[teacher] = start[teacher];
    return next;
  }
  next[temperature] ||= start[temperature];
  if (!next[teacher]) next[temperature] = alone;
  return next;
}

// The sentence about a teacher that a change selects by itself; it stays while the temperature moves.
/** @type {(rules: StudentRules, before: Values, next: Values, key: string, shown: string) => string} */
export function selectedNote({ temperature, teacher, selected }, before, next, key, shown) {
  if (key !== temperature || !next[temperature]) return "";
  return before[teacher] ? shown : selected;
}
