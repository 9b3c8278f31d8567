import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Results } from "../../workbench/panels/js/results.js";

let shown;
let results;

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 10_000 });
  shown = [];
  results = new Results([
    { show: (state) => shown.push(`card ${state.seq}`) },
    { show: (s) => shown.push(`point ${s.seq}`), wait: () => shown.push("measuring") },
  ]);
});
afterEach(() => mock.timers.reset());

const state = (seq, pending = false) => ({ seq, numbers: { pending } });

test("numbers and picture change in the same call", () => {
  results.show(state(1));
  assert.deepEqual(shown, ["card 1", "point 1"]);
});

test("a size alone is not shown if the accuracy follows at once", () => {
  results.show(state(1, true));
  mock.timers.tick(60);
  results.show(state(1));
  mock.timers.tick(1_000);
  assert.deepEqual(shown, ["card 1", "point 1"]);
});

test("a size alone is shown if the accuracy takes longer", () => {
  results.show(state(1, true));
  mock.timers.tick(100);
  assert.deepEqual(shown, ["card 1", "point 1"]);
});

test("nothing is shown after the page is closed", () => {
  results.show(state(1, true));
  results.clear();
  mock.timers.tick(1_000);
  assert.deepEqual(shown, []);
});

test("a change without an answer is said to be measured, until its accuracy is known", () => {
  results.change();
  mock.timers.tick(50);
  results.change(); // of the same drag
  results.show({ seq: 1, numbers: null }); // outdated
  mock.timers.tick(10);
  assert.deepEqual(shown, ["card 1", "point 1", "measuring"]);
  results.show(state(2));
  results.change();
  mock.timers.tick(300); // of a drag with answers
  results.show(state(3));
  mock.timers.tick(1_000);
  assert.deepEqual(shown.slice(3), ["card 2", "point 2", "card 3", "point 3"]);
  results.show(state(4));
  results.change();
  mock.timers.tick(500);
  assert.equal(shown.at(-1), "measuring");
});
