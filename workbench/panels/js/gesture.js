// @ts-check
// Gestures: the values of one drag, or of a run of key presses, are one step of the history.

const REST = 400; // ms without a change after which a run of key presses ends, and a drag pauses
const PRESSES = ["pointerdown", "keydown"];
const RELEASES = ["pointerup", "pointercancel", "keyup"];
const CAPTURE = { capture: true }; // before other listeners stop the event

export class Gesture {
  /** @param {() => void} onRest called when a moved control rests or is released */
  constructor(onRest) {
    this.onRest = onRest;
    this.number = 0;
    this.open = false; // whether the next change belongs to the same gesture
    this.held = false; // whether a pointer or a key is down
    this.moved = false; // whether a change is not followed by `onRest` yet
    /** @type {EventTarget | null} */
    this.target = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    /** @type {(event: Event) => void} */
    this.press = ({ type, target }) => {
      if (type === "pointerdown" || target !== this.target) this.open = false;
      this.target = target;
      this.held = true;
    };
    /** @type {(event: Event) => void} */
    this.release = ({ type }) => {
      this.held = false;
      if (type !== "keyup") this.open = false;
      this.rest();
    };
    for (const type of PRESSES) window.addEventListener(type, this.press, CAPTURE);
    for (const type of RELEASES) window.addEventListener(type, this.release, CAPTURE);
    window.addEventListener("blur", this.release); // of the window; that of a control does not bubble
  }

  // Records a change. Returns the number of its gesture, and whether more changes are likely.
  /** @param {number} last the newest gesture of any display of the widget */
  change(last = 0) {
    if (!this.open) this.number = Math.max(this.number, last) + 1;
    this.open = true;
    this.moved = this.held;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.pause(), REST);
    return { gesture: this.number, moving: this.held };
  }

  pause() {
    if (!this.held) this.open = false;
    this.rest();
  }

  rest() {
    if (!this.moved) return;
    this.moved = false;
    this.onRest();
  }

  close() {
    clearTimeout(this.timer);
    for (const type of PRESSES) window.removeEventListener(type, this.press, CAPTURE);
    for (const type of RELEASES) window.removeEventListener(type, this.release, CAPTURE);
    window.removeEventListener("blur", this.release);
  }
}
