// What is predicted while values are typed, and which answers are shown.

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Trial } from "../../workbench/panels/js/trial.js";
import { FakeChannel, installDom } from "./fake_dom.js";

const FIELDS = [
  { name: "size", type: "number", value: "7", choices: [] },
  { name: "color", type: "category", value: "red", choices: ["red", "blue"] },
];
const TEXTS = { fields: FIELDS, title: "Try", help: "", answer: "", accept: "", drop: "", or: "", save: "", close: "" };
const ANSWER = { answer: "", agreement: "", classes: [], notes: [], head: [], rows: [], more: "" };

/** @type {FakeChannel} */ let channel;
/** @type {Trial} */ let trial;
/** @type {any[]} */ let files;

beforeEach(() => {
  installDom();
  mock.timers.enable({ apis: ["setTimeout"] });
  channel = new FakeChannel();
  files = [];
  trial = new Trial(channel, (file) => files.push(file));
  trial.build(TEXTS);
});
afterEach(() => mock.timers.reset());

test("a row is predicted once typing pauses", () => {
  const [size] = trial.fields.querySelectorAll("input");
  for (const value of ["1", "12"]) {
    size.value = value;
    size.dispatchEvent(new Event("input"));
    mock.timers.tick(200);
  }
  assert.deepEqual(channel.acts, []);
  mock.timers.tick(50);
  assert.deepEqual(channel.acts, [["try_values", { number: 1, values: { size: "12", color: "red" } }]]);
});

test("an answer to older values is not shown", () => {
  trial.predict();
  trial.predict();
  channel.tell("predictions", { ...ANSWER, number: 2, answer: "12 €" });
  channel.tell("predictions", { ...ANSWER, number: 1, answer: "7 €" });
  assert.equal(trial.answer.textContent, "12 €");
});

test("a file is read instead of the values that are typed", () => {
  trial.type();
  trial.read("rows.csv");
  mock.timers.tick(1_000);
  assert.deepEqual(channel.acts, []);
  assert.deepEqual(files, ["rows.csv"]);
  channel.tell("predictions", { ...ANSWER, number: 0, answer: "7 €" });
  assert.equal(trial.answer.textContent, "");
  const rows = [{ source: "line 2", cells: ["red"] }];
  channel.tell("predictions", { ...ANSWER, number: null, answer: "1 row", head: ["color"], rows });
  assert.equal(trial.answer.textContent, "1 row");
  assert.deepEqual(
    trial.table.querySelectorAll("td").map(({ textContent }) => textContent),
    ["red"],
  );
  assert.ok(!trial.scroll.hidden && !trial.save.hidden);
});

test("the reason of a file that is not read leaves the last answer", () => {
  channel.tell("predictions", { ...ANSWER, number: null, answer: "1 row" });
  trial.work("The file is empty.", true);
  assert.equal(trial.error.textContent, "The file is empty.");
  assert.equal(trial.answer.textContent, "1 row");
  trial.work("Reading");
  assert.ok(trial.error.hidden && trial.save.hidden);
  assert.equal(trial.answer.textContent, "Reading");
});

test("a model that cannot be tried has no screen", () => {
  trial.build(null);
  trial.open();
  assert.ok(!trial.node.open);
  trial.build({ ...TEXTS, fields: [] });
  trial.open();
  assert.ok(trial.node.open);
  assert.deepEqual(channel.acts, []); // nothing to predict
});
