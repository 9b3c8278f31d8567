// @ts-check
// Shows the numbers and the picture of one state together, and says when a change has no answer yet.

/** @import { State } from "./types" */

const PENDING_DELAY = 100; // ms to wait for the accuracy before only the size is shown, to avoid flicker
const ANSWER_DELAY = 60; // ms to wait for an answer before the views say that it is being measured
const NEXT_DELAY = 500; // ms likewise, during a drag with answers, to avoid flicker
const DRAG = 1000; // ms from an answer in which further changes belong to the same drag

export class Results {
  /** @param {{ show(state: State): void, wait?(): void }[]} views */
  constructor(views) {
    this.views = views;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.waiting = undefined; // for the answer to the first change without one
    this.answered = 0; // the time of the last answer
  }

  // Called when a control has changed.
  change() {
    const delay = Date.now() - this.answered < DRAG ? NEXT_DELAY : ANSWER_DELAY;
    this.waiting ??= setTimeout(() => {
      for (const view of this.views) view.wait?.();
    }, delay);
  }

  /** @param {State} state */
  show(state) {
    clearTimeout(this.timer);
    if (state.numbers && !state.numbers.pending) {
      this.answer();
      this.answered = Date.now();
    }
    if (state.numbers?.pending) this.timer = setTimeout(() => this.apply(state), PENDING_DELAY);
    else this.apply(state);
  }

  /** @param {State} state */
  apply(state) {
    for (const view of this.views) view.show(state);
  }

  answer() {
    clearTimeout(this.waiting);
    this.waiting = undefined;
  }

  clear() {
    clearTimeout(this.timer);
    this.answer();
  }
}
