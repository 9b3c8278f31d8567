import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Gesture } from "../../workbench/panels/js/gesture.js";

let gesture;
let rests;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  globalThis.window = new EventTarget();
  rests = 0;
  gesture = new Gesture(() => {
    rests += 1;
  });
});
afterEach(() => mock.timers.reset());

const dispatch = (type) => window.dispatchEvent(new Event(type));
const number = () => gesture.change().gesture;

test("all changes of one drag are one gesture, even after a pause", () => {
  dispatch("pointerdown");
  assert.deepEqual(gesture.change(), { gesture: 1, moving: true });
  mock.timers.tick(2_000);
  assert.deepEqual(gesture.change(), { gesture: 1, moving: true });
  dispatch("pointerup");
  dispatch("pointerdown");
  assert.equal(number(), 2);
});

test("a drag rests when it pauses and when it is released", () => {
  dispatch("pointerdown");
  gesture.change();
  mock.timers.tick(400);
  assert.equal(rests, 1);
  gesture.change();
  dispatch("pointerup");
  assert.equal(rests, 2);
  mock.timers.tick(2_000);
  assert.equal(rests, 2);
});

test("a click that changes nothing does not rest", () => {
  dispatch("pointerdown");
  dispatch("pointerup");
  assert.equal(rests, 0);
});

test("a run of key presses is one gesture until 400 ms pass", () => {
  for (let press = 0; press < 3; press += 1) {
    dispatch("keydown");
    assert.deepEqual(gesture.change(), { gesture: 1, moving: true });
    dispatch("keyup");
    mock.timers.tick(300);
  }
  assert.equal(rests, 3);
  mock.timers.tick(100);
  dispatch("keydown");
  assert.equal(number(), 2);
});

test("keys in another control are another gesture", () => {
  const press = (target) => {
    const event = new Event("keydown");
    Object.defineProperty(event, "target", { value: target });
    gesture.press(event);
  };
  press("sparsity");
  assert.equal(number(), 1);
  press("bits");
  assert.equal(number(), 2);
});

test("a change after a click, or by a program, does not move", () => {
  dispatch("pointerdown");
  dispatch("pointerup");
  assert.deepEqual(gesture.change(), { gesture: 1, moving: false });
  mock.timers.tick(400);
  assert.deepEqual(gesture.change(), { gesture: 2, moving: false });
});

test("a cancelled drag and a window without focus end the gesture", () => {
  for (const type of ["pointercancel", "blur"]) {
    dispatch("pointerdown");
    const before = number();
    dispatch(type);
    assert.equal(number(), before + 1);
  }
  assert.equal(rests, 2);
});

test("a closed gesture listens to nothing", () => {
  dispatch("pointerdown");
  gesture.change();
  gesture.close();
  dispatch("pointerup");
  mock.timers.tick(2_000);
  assert.equal(rests, 0);
});
