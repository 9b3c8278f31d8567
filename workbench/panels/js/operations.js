// @ts-check
// The operations that run, each with a number of its own. The progress bar shows the one that began last.

/** @import { OperationMessage } from "./types" */

export class Operations {
  constructor() {
    /** @type {Map<number, OperationMessage>} */
    this.running = new Map(); // in the order in which they began
  }

  // Takes the progress of an operation; without a text, it has ended.
  /** @param {OperationMessage} message */
  update(message) {
    if (message.text === null) this.running.delete(message.number);
    else this.running.set(message.number, message);
  }

  /** @returns {OperationMessage | undefined} */
  get newest() {
    return [...this.running.values()].at(-1);
  }
}
