import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Channel } from "../../workbench/panels/js/channel.js";

let model;
let channel;
let alive; // the reports of `watchKernel`

// A signal of the widget manager's kernel.
class Signal {
  slots = new Set();
  connect(slot) {
    this.slots.add(slot);
  }
  disconnect(slot) {
    this.slots.delete(slot);
  }
  emit(status) {
    for (const slot of this.slots) slot(null, status);
  }
}

// A model of anywidget that records what the page sends.
class Model {
  sent = [];
  values = [];
  widget_manager = { kernel: { connectionStatusChanged: new Signal(), statusChanged: new Signal() } };
  on(_event, listen) {
    this.listen = listen;
  }
  off(_event, listen) {
    if (this.listen === listen) this.listen = null;
  }
  send(content, _callbacks, buffers) {
    this.sent.push([content, buffers]);
  }
  get(_name) {
    return this.values.at(-1);
  }
  set(_name, value) {
    this.values.push(value);
  }
  save_changes() {}
}

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  globalThis.window = new EventTarget();
  model = new Model();
  channel = new Channel(model);
  alive = [];
});
afterEach(() => mock.timers.reset());

const watch = () => channel.watchKernel((value) => alive.push(value));

test("a message goes to all listeners of its kind, with its buffers", () => {
  const received = [];
  channel.on("file", (message, buffers) => received.push(["first", message.name, buffers]));
  channel.on("file", (message) => received.push(["second", message.name]));
  channel.on("banner", () => received.push("banner"));
  model.listen({ kind: "file", name: "a.csv" }, ["bytes"]);
  model.listen({ kind: "unknown" }, []);
  assert.deepEqual(received, [
    ["first", "a.csv", ["bytes"]],
    ["second", "a.csv"],
  ]);
});

test("an action is sent with its details and buffers", () => {
  channel.act("undo");
  channel.act("upload_chunk", { number: 1 }, ["bytes"]);
  assert.deepEqual(model.sent, [
    [{ act: "undo", seq: 0 }, []],
    [{ act: "upload_chunk", seq: 0, number: 1 }, ["bytes"]],
  ]);
});

test("values are numbered, copied and announced", () => {
  const sent = [];
  channel.on("sent", ({ seq }) => sent.push(seq));
  const values = { "prune.sparsity": 0.1 };
  channel.sendValues(values);
  values["prune.sparsity"] = 0.2;
  channel.sendValues(values);
  assert.deepEqual(sent, [1, 2]);
  assert.deepEqual(model.values, [
    { seq: 1, gesture: 1, moving: false, values: { "prune.sparsity": 0.1 }, earlier: [] },
    { seq: 2, gesture: 1, moving: false, values: { "prune.sparsity": 0.2 }, earlier: [] },
  ]);
});

test("the numbers of a second display go on", () => {
  channel.sendValues({});
  const second = new Channel(model);
  assert.equal(second.seq, 1);
  second.sendValues({});
  channel.act("undo");
  assert.deepEqual(
    model.values.map(({ seq, gesture }) => [seq, gesture]),
    [
      [1, 1],
      [2, 2],
    ],
  );
  const waiting = [{ seq: 1, gesture: 1, moving: false, values: {} }];
  assert.deepEqual(model.sent, [[{ act: "undo", seq: 2, waiting }, []]]);
});

test("the last values of each gesture are repeated until they have arrived", () => {
  const number = ({ seq, gesture }) => [seq, gesture];
  for (const share of [0.1, 0.2, 0.3, 0.4]) {
    if (share !== 0.2) window.dispatchEvent(new Event("pointerdown"));
    channel.sendValues({ share });
  }
  assert.deepEqual(model.values.at(-1).earlier.map(number), [
    [2, 1],
    [3, 2],
  ]);
  channel.act("undo");
  assert.deepEqual(model.sent.at(-1)[0].waiting.map(number), [
    [2, 1],
    [3, 2],
    [4, 3],
  ]);
  model.listen({ kind: "state", seq: 3 }, []);
  channel.act("undo");
  assert.deepEqual(model.sent.at(-1)[0].waiting.map(number), [[4, 3]]);
  model.listen({ kind: "state", seq: 4 }, []);
  channel.act("undo");
  assert.deepEqual(model.sent.at(-1), [{ act: "undo", seq: 4 }, []]);
});

test("a kernel that does not answer is reported once", () => {
  watch();
  channel.sendValues({});
  mock.timers.tick(10_000);
  channel.sendValues({}); // does not extend the time
  mock.timers.tick(5_000);
  assert.deepEqual(alive, [false]);
});

test("any answer is enough", () => {
  watch();
  channel.sendValues({});
  model.listen({ kind: "state" }, []);
  mock.timers.tick(60_000);
  assert.deepEqual(alive, []);
});

test("a broken connection has some time to reconnect", () => {
  watch();
  const { connectionStatusChanged } = model.widget_manager.kernel;
  connectionStatusChanged.emit("connecting");
  mock.timers.tick(1_000);
  connectionStatusChanged.emit("connected");
  mock.timers.tick(60_000);
  assert.deepEqual(alive, [true]);
  connectionStatusChanged.emit("disconnected");
  mock.timers.tick(2_000);
  assert.deepEqual(alive, [true, false]);
});

test("a dead kernel is reported, and then nothing else", () => {
  watch();
  const { connectionStatusChanged, statusChanged } = model.widget_manager.kernel;
  statusChanged.emit("busy");
  assert.deepEqual(alive, []);
  statusChanged.emit("dead");
  connectionStatusChanged.emit("connected");
  assert.deepEqual(alive, [false]);
});

for (const [name, stop] of [
  ["closing the page", () => window.dispatchEvent(new Event("pagehide"))],
  ["the returned function", (stopWatching) => stopWatching()],
]) {
  test(`${name} stops watching`, () => {
    const stopWatching = watch();
    channel.sendValues({});
    stop(stopWatching);
    model.widget_manager.kernel.statusChanged.emit("dead");
    mock.timers.tick(60_000);
    assert.deepEqual(alive, []);
  });
}

test("without a kernel there is nothing to watch", () => {
  model.widget_manager = undefined;
  watch()();
  assert.deepEqual(alive, []);
});

test("a closed channel receives no messages", () => {
  channel.close();
  assert.equal(model.listen, null);
});

test("a kernel that takes no messages is reported", () => {
  channel.watchKernel((state) => alive.push(state));
  model.send = () => {
    throw new Error("Cannot send");
  };
  channel.act("theme");
  assert.equal(alive.at(-1), false);
});
