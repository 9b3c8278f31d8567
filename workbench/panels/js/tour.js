// @ts-check
// The guided tour: one bubble after the other next to the control it speaks of. A bubble says when its task is done;
// the user goes on, or back. Python restores recipe and goal at the end. Escape ends the tour.

import { getKey, setKey } from "./address.js";
import { h, setDisabled, setText, uniqueId } from "./dom.js";
import { fill } from "./softmax.js";

/** @import { Channel } from "./channel.js" */
/** @import { Page, State, TourStep, Values } from "./types" */
/** @typedef {{ left: number, right: number, top: number, bottom: number }} Box */
/** @typedef {{ width: number, height: number }} Size */

const GAP = 10; // px between the bubble and the control
const EDGE = 8; // px between the bubble and the window
const WIDTHS = [250, 340]; // px of the narrowest and the widest bubble
const CONTROL = 1000; // how much worse it is to cover the control than anything else
const PICTURE = ".stage .plot"; // a bubble speaks of it, of the numbers and of its control
const NUMBERS = [".summary", ".card .big"]; // the strip of narrow windows, or the card

export class Tour {
  /** @type {Page["settings"]["tour"]} */ texts;
  /** @type {TourStep[]} */ steps = [];
  /** @type {Set<number>} */ completed = new Set(); // the steps whose task is done
  /** @type {HTMLElement | null} */ opener = null; // the button that starts the tour
  /** @type {{ values: Values, state: State } | null} */ newest = null; // what the page shows
  model = ""; // the one that the tour is about
  index = -1; // of the step; -1 while there is no tour

  /**
   * @param {HTMLElement} part of the page
   * @param {Channel} channel
   */
  constructor(part, channel) {
    this.part = part;
    this.channel = channel;
    this.text = h("p", { id: uniqueId() });
    this.count = h("span", { className: "count" });
    this.done = h("span", { className: "done", role: "status" });
    /** @type {(className: string, onclick: () => void) => HTMLButtonElement} */
    const button = (className, onclick) => h("button", { type: "button", className, onclick });
    this.back = button("quiet small", () => this.go(this.index - 1));
    this.next = button("quiet small", () => this.go(this.index + 1));
    this.end = button("quiet small end", () => this.close());
    setText(this.end, "×");
    this.bubble = h(
      "div",
      { className: "bubble", role: "dialog", popover: "manual", "aria-describedby": this.text.id },
      this.text,
      h("div", { className: "bubble-foot" }, this.count, this.done, this.back, this.next),
      this.end,
    );
    /** @param {KeyboardEvent} event */
    this.onKey = ({ key }) => {
      if (key === "Escape" && !document.querySelector("dialog:modal")) this.close();
    };
    this.onMove = () => this.place();
    this.resized = new ResizeObserver(this.onMove);
  }

  /** @type {(page: Page, opener: HTMLElement) => void} */
  build({ settings, header }, opener) {
    this.texts = settings.tour;
    this.steps = settings.tour.steps;
    this.opener = opener;
    setText(this.back, settings.tour.back);
    this.end.title = settings.tour.end;
    this.end.setAttribute("aria-label", settings.tour.end);
    this.bubble.setAttribute("aria-label", settings.tour.title);
    if (this.index < 0) this.model = header.selected;
    else if (this.model !== header.selected) this.close();
    else this.go(this.index, this.bubble.contains(document.activeElement)); // the controls are new
  }

  // Starts the tour if the address asks for it.
  resume() {
    if (!getKey("tour") || this.index >= 0) return;
    if (this.part.isConnected) this.start();
    else requestAnimationFrame(() => this.resume());
  }

  start() {
    if (this.index < 0) {
      this.channel.act("begin_tour");
      setKey("tour", "1");
      document.addEventListener("keydown", this.onKey);
      window.addEventListener("scroll", this.onMove, true);
      window.addEventListener("resize", this.onMove);
      this.resized.observe(this.part);
    }
    this.completed.clear();
    this.go(0);
  }

  close() {
    if (this.index < 0) return;
    this.index = -1;
    const focused = this.bubble.contains(document.activeElement);
    this.bubble.remove();
    if (focused) this.opener?.focus();
    this.highlight(null);
    this.resized.disconnect();
    document.removeEventListener("keydown", this.onKey);
    window.removeEventListener("scroll", this.onMove, true);
    window.removeEventListener("resize", this.onMove);
    setKey("tour", null);
    this.channel.act("end_tour");
  }

  // Shows a step; the keyboard goes on at the button for the next one, which follows the control.
  /** @param {number} index */
  go(index, focus = true) {
    const step = this.steps[index];
    if (!step) return this.close();
    this.index = index;
    const isLast = index === this.steps.length - 1;
    setText(this.text, step.text);
    setText(this.count, fill(this.texts.count, { step: String(index + 1), steps: String(this.steps.length) }));
    setText(this.next, isLast ? this.texts.finish : this.texts.next);
    setDisabled(this.back, index === 0);
    this.complete(!step.undone); // an older step that was undone is not that of the tour
    this.showDone();
    const target = this.target();
    this.highlight(target);
    if (target) target.after(this.bubble);
    else this.root().append(this.bubble);
    this.bubble.showPopover();
    if (focus) this.next.focus({ preventScroll: true });
    this.reveal();
    this.place();
  }

  showDone() {
    const done = this.completed.has(this.index);
    this.bubble.classList.toggle("done", done);
    setText(this.done, done ? this.texts.done : "");
    const isOpen = !done && this.index < this.steps.length - 1; // the last step has no task
    this.next.classList.toggle("quiet", isOpen);
    this.next.classList.toggle("primary", !isOpen);
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

  // Scrolls until the control and the bubble fit in the window, below the numbers that stay visible.
  reveal() {
    const target = this.target();
    if (!target) return;
    const box = target.getBoundingClientRect();
    const room = this.bubble.getBoundingClientRect().height + GAP + EDGE;
    const strip = this.root().querySelector(".summary")?.getBoundingClientRect();
    const top = strip && strip.top <= 0 ? strip.bottom : 0;
    if (box.top < top || box.bottom + room > window.innerHeight) target.scrollIntoView({ block: "center" });
  }

  explained() {
    const [picture, ...numbers] = [PICTURE, ...NUMBERS].map((selector) => this.root().querySelector(selector));
    return [picture, numbers.find((node) => node?.checkVisibility())].filter((node) => node instanceof Element);
  }

  place() {
    const target = this.target();
    if (!target) return;
    const box = target.getBoundingClientRect();
    const [narrow, wide] = WIDTHS;
    const width = box.width < narrow ? wide : Math.min(wide, box.width);
    this.bubble.style.width = `${Math.min(width, window.innerWidth - 2 * EDGE)}px`;
    const place = placeNear(
      box,
      this.bubble.getBoundingClientRect(),
      this.explained().map((node) => node.getBoundingClientRect()),
      { width: window.innerWidth, height: window.innerHeight },
    );
    this.bubble.style.left = `${place.left}px`;
    this.bubble.style.top = `${place.top}px`;
  }

  // Takes the values of the controls and the newest state, which may complete the task.
  /** @type {(values: Values, state: State) => void} */
  check(values, state) {
    this.newest = { values, state };
    if (!this.complete()) return;
    this.showDone();
    this.place();
  }

  // Marks the task as completed if it is, also by what was set before; returns whether it is so only now.
  complete(counts = true) {
    const step = this.steps[this.index];
    if (!counts || !step || !this.newest || this.completed.has(this.index)) return false;
    if (!isDone(step, this.newest.values, this.newest.state)) return false;
    this.completed.add(this.index);
    return true;
  }
}

// Whether the task of a step is done: a value is in a range, a goal is set, or a change was undone.
/** @type {(step: TourStep, values: Values, state: { budget: number | null, floor: number | null, redo: boolean }) => boolean} */
export function isDone(step, values, state) {
  if (step.goal) return state.budget !== null || state.floor !== null;
  if (step.undone) return state.redo;
  if (!step.key) return false;
  const value = values[step.key];
  return value >= (step.low ?? Number.NEGATIVE_INFINITY) && value <= (step.high ?? Number.POSITIVE_INFINITY);
}

// Where a bubble covers neither its control nor what is explained: below, above, right or left of the control; if
// none is free, where it covers least.
/** @type {(control: Box, bubble: Size, explained: Box[], window: Size) => { left: number, top: number }} */
export function placeNear(control, { width, height }, explained, window) {
  const across = clamp(control.left, window.width - width);
  const up = clamp(control.top, window.height - height);
  const places = [
    { left: across, top: clamp(control.bottom + GAP, window.height - height) },
    { left: across, top: clamp(control.top - GAP - height, window.height - height) },
    { left: clamp(control.right + GAP, window.width - width), top: up },
    { left: clamp(control.left - GAP - width, window.width - width), top: up },
  ];
  const costs = places.map(({ left, top }) => {
    const box = { left, right: left + width, top, bottom: top + height };
    return CONTROL * covered(box, control) + explained.reduce((sum, other) => sum + covered(box, other), 0);
  });
  return places[costs.indexOf(Math.min(...costs))];
}

/** @type {(value: number, most: number) => number} */
const clamp = (value, most) => Math.max(EDGE, Math.min(value, most - EDGE));

// The area that two boxes share.
/** @type {(one: Box, other: Box) => number} */
function covered(one, other) {
  const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const up = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  return Math.max(0, across) * Math.max(0, up);
}
