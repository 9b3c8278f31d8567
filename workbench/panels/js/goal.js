// @ts-check
// The goal: the largest file size and the worst metric wanted, and how many results meet both.

import { commits, isFollowing, showCommitted } from "./committed_fields.js";
import { describe, group, h, setText, term } from "./dom.js";
import { answered } from "./limits.js";

/** @import { Channel } from "./channel.js" */
/** @import { Bounds } from "./limits.js" */
/** @import { GoalBounds, Labels, MoveState, State } from "./types" */

/** @type {(labels: Labels, bounds: GoalBounds, channel: Channel) => { node: HTMLElement, show: (state: State) => void,
 *   move: (key: string, value: number | null, state: MoveState) => void }} `move` shows a limit that is dragged */
export function goal(labels, bounds, channel) {
  const scale = Number(labels.floor_scale);
  const budget = limit(
    { label: labels.budget, sign: labels.budget_sign, unit: labels.budget_unit, none: labels.none },
    bounds.budget,
    (value) => channel.act("budget", { value: value === null ? null : value * 1000 }),
  );
  const floor = limit(
    { label: labels.floor, sign: labels.floor_sign, unit: labels.floor_unit, none: labels.none },
    bounds.floor,
    (value) => channel.act("floor", { value: value === null ? null : value / scale }),
  );
  const passing = h("output", { className: "passing" });
  const head = h("div", {}, term(labels.goal, labels.goal_help));
  const pair = h("div", { className: "pair" }, budget.node, floor.node, budget.error, floor.error);
  const node = group(labels.goal, head, { className: "group goal", "data-tour": "goal" }, passing, pair);
  describe(node, head);
  return {
    node,
    move: (key, value, state) => (key === "budget" ? budget : floor).move(value, state),
    show(state) {
      budget.show(state.budget === null ? null : state.budget / 1000);
      floor.show(state.floor === null ? null : Math.round(state.floor * scale * 1e3) / 1e3);
      setText(passing, state.settings.goal);
    },
  };
}

/**
 * @param {Labels} texts
 * @param {Bounds} bounds
 * @param {(value: number | null) => void} change
 */
function limit({ label, sign, unit, none }, bounds, change) {
  /** @type {HTMLInputElement} */
  const input = h("input", { type: "number", step: "any", placeholder: none, "aria-label": label, title: label });
  let isMoving = false;
  const { error, check, clear } = answered(input, bounds);
  input.addEventListener("change", () => {
    const value = check();
    if (value !== undefined) change(value);
  });
  commits(input);
  return {
    error,
    node: h(
      "span",
      { className: "limit with-unit" },
      h("span", { className: "unit", text: sign }),
      input,
      h("span", { className: "unit", text: unit }),
    ),
    /** @param {number | null} value */
    show(value) {
      const isEdited = document.activeElement === input && !isFollowing(input);
      if (isEdited || isMoving || error.textContent) return; // until it is corrected
      showCommitted(input, value === null ? "" : String(value));
    },
    /** @type {(value: number | null, state: MoveState) => void} */
    move(value, state) {
      isMoving = state === "moving";
      showCommitted(input, value === null ? "" : String(value));
      clear();
    },
  };
}
