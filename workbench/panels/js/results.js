// @ts-check
// Shows the numbers and the picture of one state together.

/** @import { State } from "./types" */

const PENDING_DELAY = 100; // ms to wait for the accuracy before only the size is shown, to avoid flicker

export class Results {
  /** @param {{ show(state: State): void }[]} views */
  constructor(views) {
    this.views = views;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** @param {State} state */
  show(state) {
    this.clear();
    if (state.numbers?.pending) this.timer = setTimeout(() => this.apply(state), PENDING_DELAY);
    else this.apply(state);
  }

  /** @param {State} state */
  apply(state) {
    for (const view of this.views) view.show(state);
  }

  clear() {
    clearTimeout(this.timer);
  }
}
