// @ts-check
// The connection to Python. Values of controls use a synced trait: the widget manager has one
// message in flight and replaces the waiting one by the newest. All other messages are custom. They
// overtake waiting values, so both carry what Python may not have received: the last values of each gesture.

import { Gesture } from "./gesture.js";

/** @import { Listener, Messages, Model, SentValues, Values } from "./types" */

const RECONNECT_TIMEOUT = 2000; // ms
const ANSWER_TIMEOUT = 15000; // ms from sending values to any answer
const LOST = ["dead", "terminating", "restarting", "autorestarting"]; // a new kernel has no session

/** @typedef {ReturnType<typeof setTimeout> | undefined} Timer */

export class Channel {
  /** @param {Model} model */
  constructor(model) {
    this.model = model;
    /** @type {Record<string, Listener[]>} */
    this.listeners = {};
    /** @type {Values} */
    this.values = {}; // the newest values of all controls
    /** @type {SentValues[]} */
    this.waiting = []; // the last values of each gesture that Python may not have received
    this.gesture = new Gesture(() => this.act("rest"));
    /** @type {(alive: boolean) => void} */
    this.onAlive = () => {}; // called with whether the kernel responds
    /** @type {Timer} */
    this.answerTimer = undefined;
    /** @type {Listener} */
    this.onCustom = (message, buffers) => {
      clearTimeout(this.answerTimer);
      this.answerTimer = undefined;
      if (message.kind === "state") this.waiting = this.waiting.filter(({ seq }) => seq > message.seq);
      for (const listen of this.listeners[message.kind] || []) listen(message, buffers);
    };
    model.on("msg:custom", this.onCustom);
  }

  // The newest values that any display of the widget has sent: numbers go on after a reload and in a second display.
  get sent() {
    return this.model.get("values") ?? {};
  }

  get seq() {
    return this.sent.seq ?? 0;
  }

  /**
   * @template {keyof Messages} Kind
   * @param {Kind} kind
   * @param {(message: Messages[Kind], buffers: ArrayBuffer[]) => void} listen
   */
  on(kind, listen) {
    this.listeners[kind] = [...(this.listeners[kind] ?? []), listen];
  }

  /**
   * @template {keyof Messages} Kind
   * @param {Kind} kind
   * @param {Messages[Kind]} message
   */
  emit(kind, message) {
    for (const listen of this.listeners[kind] || []) listen(message, []);
  }

  /** @type {(name: string, details?: object, buffers?: ArrayBuffer[]) => void} */
  act(name, details = {}, buffers = []) {
    const waiting = this.waiting.length ? { waiting: this.waiting } : {};
    try {
      this.model.send({ act: name, seq: this.seq, ...waiting, ...details }, undefined, buffers);
    } catch {
      this.onAlive(false); // a kernel that has ended takes no messages
    }
  }

  /** @param {Values} values */
  sendValues(values) {
    this.values = values;
    const sent = { seq: this.seq + 1, ...this.gesture.change(this.sent.gesture), values: { ...values } };
    const earlier = this.waiting.filter(({ gesture }) => gesture !== sent.gesture);
    this.waiting = [...earlier, sent];
    this.model.set("values", { ...sent, earlier });
    this.model.save_changes();
    this.answerTimer ||= setTimeout(() => this.onAlive(false), ANSWER_TIMEOUT);
    this.emit("sent", { seq: this.seq });
  }

  // Calls `onAlive(alive)` when the kernel stops or resumes responding: it does not answer, or the
  // widget manager reports its state. A broken connection has some time to reconnect. Returns a
  // function that stops watching.
  /** @param {(alive: boolean) => void} onAlive */
  watchKernel(onAlive) {
    this.onAlive = onAlive;
    const kernel = this.model.widget_manager?.kernel;
    if (!kernel) return () => {};
    /** @type {Timer} */
    let reconnectTimer;
    /** @type {(kernel: unknown, status: string) => void} */
    const onConnection = (_kernel, status) => {
      clearTimeout(reconnectTimer);
      if (status === "connected") onAlive(true);
      else reconnectTimer = setTimeout(onAlive, RECONNECT_TIMEOUT, false);
    };
    /** @type {(kernel: unknown, status: string) => void} */
    const onStatus = (_kernel, status) => {
      if (!LOST.includes(status)) return;
      stop();
      onAlive(false);
    };
    const stop = () => {
      clearTimeout(reconnectTimer);
      clearTimeout(this.answerTimer);
      kernel.connectionStatusChanged.disconnect(onConnection);
      kernel.statusChanged.disconnect(onStatus);
      window.removeEventListener("pagehide", stop);
    };
    kernel.connectionStatusChanged.connect(onConnection);
    kernel.statusChanged.connect(onStatus);
    window.addEventListener("pagehide", stop); // closing the page shuts down its kernel
    return stop;
  }

  close() {
    this.gesture.close();
    this.model.off("msg:custom", this.onCustom);
  }
}
