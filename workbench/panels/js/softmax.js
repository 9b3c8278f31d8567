// @ts-check
// The teacher's softened probabilities, computed in the page so that they follow the slider.

/** @type {(logits: number[], temperature: number) => number[]} */
export function soften(logits, temperature) {
  const top = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp((logit - top) / temperature));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

// The positions of the largest values, largest first.
/** @type {(values: number[], count: number) => number[]} */
export function largest(values, count) {
  return values
    .map((_, index) => index)
    .sort((a, b) => values[b] - values[a])
    .slice(0, count);
}

// Replaces "{name}" in a text by the value of that name.
/** @type {(text: string, values: Record<string, string>) => string} */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
