// The connection to Python. Values of controls use a synced trait: the widget manager has one
// message in flight and replaces the waiting one by the newest. All other messages are custom.

const RECONNECT_TIMEOUT = 2000; // ms
const ANSWER_TIMEOUT = 15000; // ms from sending values to any answer
const LOST = ["dead", "terminating", "restarting", "autorestarting"]; // a new kernel has no session

export class Channel {
  constructor(model) {
    this.model = model;
    this.listeners = {};
    this.seq = 0; // of the newest values sent
    this.onAlive = () => {}; // called with whether the kernel responds
    this.answerTimer = 0;
    this.onCustom = (message, buffers) => {
      clearTimeout(this.answerTimer);
      this.answerTimer = 0;
      for (const listen of this.listeners[message.kind] || []) listen(message, buffers);
    };
    model.on("msg:custom", this.onCustom);
  }

  on(kind, listen) {
    (this.listeners[kind] ||= []).push(listen);
  }

  emit(kind, message) {
    for (const listen of this.listeners[kind] || []) listen(message);
  }

  act(name, details = {}, buffers = []) {
    this.model.send({ act: name, ...details }, undefined, buffers);
  }

  sendValues(values) {
    this.seq += 1;
    this.model.set("values", { seq: this.seq, values: { ...values } });
    this.model.save_changes();
    this.answerTimer ||= setTimeout(() => this.onAlive(false), ANSWER_TIMEOUT);
    this.emit("sent", { seq: this.seq });
  }

  // Calls `onAlive(alive)` when the kernel stops or resumes responding: it does not answer, or the
  // widget manager reports its state. A broken connection has some time to reconnect. Returns a
  // function that stops watching.
  watchKernel(onAlive) {
    this.onAlive = onAlive;
    const kernel = this.model.widget_manager?.kernel;
    if (!kernel) return () => {};
    let reconnectTimer = 0;
    const onConnection = (_kernel, status) => {
      clearTimeout(reconnectTimer);
      if (status === "connected") onAlive(true);
      else reconnectTimer = setTimeout(onAlive, RECONNECT_TIMEOUT, false);
    };
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
    this.model.off("msg:custom", this.onCustom);
  }
}
