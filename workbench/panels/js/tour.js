// @ts-check
// The guided tour: one bubble after the other next to the control it speaks of. A bubble waits until
// its task is done; the page checks that. Escape ends the tour.

import { getKey, setKey } from "./address.js";
import { h, setText, tipPosition } from "./dom.js";
import { fill } from "./softmax.js";

/** @import { Page, State, TourStep, Values } from "./types" */

const DONE_DELAY = 900; // ms in which the mark of a completed task is visible
const GAP = 12; // px between the bubble and the control

export class Tour {
  /** @type {Page["settings"]["tour"]} */ texts;
  /** @type {TourStep[]} */ steps = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */ timer;
  index = -1; // of the step; -1 while there is no tour

  /** @param {HTMLElement} part of the page */
  constructor(part) {
    this.part = part;
    this.text = h("p", { role: "status" });
    this.count = h("span", { className: "count" });
    this.skip = h("button", { type: "button", className: "quiet small", onclick: () => this.go(this.index + 1) });
    this.end = h("button", { type: "button", className: "quiet small", onclick: () => this.close() });
    this.bubble = h(
      "div",
      { className: "bubble", role: "dialog", popover: "manual" },
      this.text,
      h("div", { className: "bubble-foot" }, this.count, this.skip, this.end),
    );
    this.onKey = (/** @type {KeyboardEvent} */ event) => event.key === "Escape" && this.close();
    this.onMove = () => this.place();
    this.resized = new ResizeObserver(this.onMove);
  }

  /** @param {Page} page */
  build({ settings }) {
    this.texts = settings.tour;
    this.steps = settings.tour.steps;
    setText(this.skip, settings.tour.skip);
    setText(this.end, settings.tour.end);
    this.bubble.setAttribute("aria-label", settings.tour.title);
    if (this.index >= 0) this.go(Math.min(this.index, this.steps.length - 1)); // the controls are new
  }

  // Starts the tour if the address asks for it.
  resume() {
    if (!getKey("tour") || this.index >= 0) return;
    if (this.part.isConnected) this.start();
    else requestAnimationFrame(() => this.resume());
  }

  start() {
    if (this.index < 0) {
      document.addEventListener("keydown", this.onKey);
      window.addEventListener("scroll", this.onMove, true);
      window.addEventListener("resize", this.onMove);
      this.resized.observe(this.part);
    }
    this.go(0);
  }

  close() {
    if (this.index < 0) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.index = -1;
    this.bubble.remove();
    this.highlight(null);
    this.resized.disconnect();
    setKey("tour", null);
    document.removeEventListener("keydown", this.onKey);
    window.removeEventListener("scroll", this.onMove, true);
    window.removeEventListener("resize", this.onMove);
  }

  /** @param {number} index */
  go(index) {
    clearTimeout(this.timer);
    this.timer = undefined;
    const step = this.steps[index];
    if (!step) return this.close();
    this.index = index;
    this.bubble.classList.remove("done");
    setText(this.text, step.text);
    setText(this.count, fill(this.texts.count, { step: String(index + 1), steps: String(this.steps.length) }));
    const target = this.target();
    target?.scrollIntoView({ block: "nearest" });
    this.highlight(target);
    if (target)
      target.after(this.bubble); // the keyboard reaches it after the control
    else this.root().append(this.bubble);
    this.bubble.showPopover();
    this.place();
  }

  root() {
    return this.part.closest(".wb") ?? this.part;
  }

  target() {
    return this.root().querySelector(`[data-tour="${this.steps[this.index]?.target}"]`);
  }

  /** @param {Element | null} target */
  highlight(target) {
    for (const node of this.root().querySelectorAll(".tour-target")) node.classList.remove("tour-target");
    target?.classList.add("tour-target");
  }

  place() {
    const target = this.target();
    if (!target) return;
    const box = target.getBoundingClientRect();
    const size = this.bubble.getBoundingClientRect();
    const fitsRight = box.right + GAP + size.width < window.innerWidth;
    const { left, top } = fitsRight
      ? { left: box.right + GAP, top: Math.max(8, Math.min(box.top, window.innerHeight - size.height - 8)) }
      : tipPosition(box, size, window.innerWidth, window.innerHeight);
    this.bubble.style.left = `${left}px`;
    this.bubble.style.top = `${top}px`;
  }

  // Marks the task as completed, and continues after a moment.
  /** @type {(values: Values, state: State, event?: string) => void} */
  check(values, state, event) {
    const step = this.steps[this.index];
    if (!step || this.timer || !isDone(step, values, state, event)) return;
    this.bubble.classList.add("done");
    this.timer = setTimeout(() => this.go(this.index + 1), DONE_DELAY);
  }
}

// Whether the task of a step is done: a value is in a range, a goal is set, or an event came.
/** @type {(step: TourStep, values: Values, state: { budget: number | null, floor: number | null }, event?: string) => boolean} */
export function isDone(step, values, state, event) {
  if (step.event) return step.event === event;
  if (step.goal) return state.budget !== null || state.floor !== null;
  const value = values[/** @type {string} */ (step.key)];
  return value >= (step.low ?? Number.NEGATIVE_INFINITY) && value <= (step.high ?? Number.POSITIVE_INFINITY);
}
