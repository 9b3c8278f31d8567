// The wire to Python. Values of controls go through a synced trait: the widget manager keeps one
// message under way and replaces the waiting one, so the newest wins. All else is custom messages.

const BROKEN = 2000; // ms for a broken connection to come back
const SILENT = 15000; // ms for any answer to values
const GONE = ["dead", "terminating", "restarting", "autorestarting"]; // a new kernel knows no page

export class Channel {
  constructor(model) {
    this.model = model;
    this.listeners = {};
    this.seq = 0; // of the newest values sent
    this.tellAlive = () => {}; // told whether the kernel is there
    this.silence = 0;
    this.onCustom = (message, buffers) => {
      clearTimeout(this.silence);
      this.silence = 0;
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
    this.silence ||= setTimeout(() => this.tellAlive(false), SILENT);
    this.emit("sent", { seq: this.seq });
  }

  // Tells whether the kernel is there: by its silence, and by its state where the widget manager
  // shows it. A connection that breaks is given a while to come back by itself. Returns a function
  // that stops it.
  watchKernel(tell) {
    this.tellAlive = tell;
    const kernel = this.model.widget_manager?.kernel;
    if (!kernel) return () => {};
    let waiting = 0;
    const onConnection = (_kernel, now) => {
      clearTimeout(waiting);
      if (now === "connected") tell(true);
      else waiting = setTimeout(tell, BROKEN, false);
    };
    const onStatus = (_kernel, now) => {
      if (!GONE.includes(now)) return;
      stop();
      tell(false);
    };
    const stop = () => {
      clearTimeout(waiting);
      clearTimeout(this.silence);
      kernel.connectionStatusChanged.disconnect(onConnection);
      kernel.statusChanged.disconnect(onStatus);
      window.removeEventListener("pagehide", stop);
    };
    kernel.connectionStatusChanged.connect(onConnection);
    kernel.statusChanged.connect(onStatus);
    window.addEventListener("pagehide", stop); // a page that leaves ends its own kernel
    return stop;
  }

  close() {
    this.model.off("msg:custom", this.onCustom);
  }
}
