// @ts-check
// The goal: the largest file size and the worst metric wanted, and how many results meet both.

import { describe, group, h, setText, term } from "./dom.js";

/** @import { Channel } from "./channel.js" */
/** @import { Labels, State } from "./types" */

/** @type {(labels: Labels, channel: Channel) => { node: HTMLElement, show: (state: State) => void }} */
export function goal(labels, channel) {
  const scale = Number(labels.floor_scale);
  const budget = limit(labels.budget, labels.budget_sign, labels.budget_unit, labels.none, (value) =>
    channel.act("budget", { value: value === null ? null : value * 1000 }),
  );
  const floor = limit(labels.floor, labels.floor_sign, labels.floor_unit, labels.none, (value) =>
    channel.act("floor", { value: value === null ? null : value / scale }),
  );
  const passing = h("output", { className: "passing" });
  const head = h("div", {}, term(labels.goal, labels.goal_help));
  const pair = h("div", { className: "pair" }, budget.node, floor.node);
  const node = group(labels.goal, head, { className: "group goal", "data-tour": "goal" }, passing, pair);
  describe(node, head);
  return {
    node,
    show(state) {
      budget.show(state.budget === null ? null : state.budget / 1000);
      floor.show(state.floor === null ? null : Math.round(state.floor * scale * 1e3) / 1e3);
      setText(passing, state.settings.goal);
    },
  };
}

/**
 * @param {string} label
 * @param {string} sign
 * @param {string} unit
 * @param {string} none
 * @param {(value: number | null) => void} change
 */
function limit(label, sign, unit, none, change) {
  const input = h("input", {
    type: "number",
    min: 0,
    step: "any",
    placeholder: none,
    "aria-label": label,
    title: label,
  });
  input.addEventListener("change", () => change(input.value === "" ? null : Number(input.value)));
  return {
    node: h(
      "span",
      { className: "limit with-unit" },
      h("span", { className: "unit", text: sign }),
      input,
      h("span", { className: "unit", text: unit }),
    ),
    /** @param {number | null} value */
    show(value) {
      if (document.activeElement !== input) input.value = value === null ? "" : String(value);
    },
  };
}
