// Which training settings apply, what training is for, the text of its button, and what it sends.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { acts, aimOf, TrainingSection, withAim, withAmount } from "../../workbench/panels/js/training.js";
import { FakeChannel, installDom } from "./fake_dom.js";

const temperature = {
  needs: [
    ["teacher", ["self", "fashion/resnet"]],
    ["matching", ["soft_targets"]],
  ],
};

test("a setting applies if all its conditions hold", () => {
  assert.equal(acts(temperature, { teacher: "self", matching: "soft_targets" }), true);
  assert.equal(acts(temperature, { teacher: "", matching: "soft_targets" }), false);
  assert.equal(acts(temperature, { teacher: "self", matching: "logits" }), false);
  assert.equal(acts({ needs: [] }, {}), true);
});

test("the aim follows from the start and the teacher", () => {
  assert.equal(aimOf({ start: "trained", teacher: "" }), "fine_tune");
  assert.equal(aimOf({ start: "trained", teacher: "self" }), "distill");
  assert.equal(aimOf({ start: "scratch", teacher: "" }), "train");
  assert.equal(aimOf({ start: "scratch", teacher: "self" }), "train");
});

test("the button says how long training takes", () => {
  assert.equal(withAmount("Distill for {amount}", "{count} s", 20), "Distill for 20 s");
});

test("distillation keeps a chosen teacher, or starts from that of the student", () => {
  const implied = { start: "trained", teacher: "self" };
  const distilled = { teacher: "fashion/resnet", temperature: 4 };
  const values = { start: "scratch", teacher: "", temperature: 1 };
  assert.deepEqual(withAim(values, "distill", implied), { start: "trained", teacher: "self", temperature: 1 });
  assert.deepEqual(withAim(values, "distill", implied, null), { start: "trained", teacher: "self", temperature: 1 });
  assert.deepEqual(withAim(values, "distill", implied, distilled), { start: "trained", ...distilled });
  const chosen = { ...values, teacher: "fashion/lenet5" };
  assert.deepEqual(withAim(chosen, "distill", implied, distilled), { ...chosen, start: "trained" });
  const labels = { start: "trained", teacher: "" };
  assert.deepEqual(withAim(chosen, "fine_tune", labels, distilled), { ...labels, temperature: 1 });
});

const number = (key, value) => ({ key, value, name: key, label: key, help: "", needs: [], bounds: { most: null } });
const choices = (...values) => values.map((value) => ({ value, label: String(value), help: "" }));
const TEXTS = {
  values: { start: "trained", teacher: "", temperature: 4, labels: 1 },
  student_labels: 1,
  aim: { name: "aim", label: "", help: "", choices: choices("fine_tune", "distill", "train") },
  aims: {
    fine_tune: { start: "trained", teacher: "" },
    distill: { start: "trained", teacher: "self" },
    train: { start: "scratch", teacher: "" },
  },
  length: { name: "length", label: "", help: "", choices: choices("seconds", "steps") },
  limit: "seconds",
  amounts: {
    seconds: { ...number("seconds", 20), amount: "{count} s" },
    steps: { ...number("steps", 100), amount: "{count} steps" },
  },
  main: [{ ...number("temperature", 4), ...temperature, needs: [["teacher", ["self"]]] }],
  groups: [{ title: "more", fields: [number("labels", 1)] }],
  buttons: {
    fine_tune: "Fine-tune {amount}",
    distill: "Distill {amount}",
    train: "Train {amount}",
    student: "Student",
  },
  sweep: "Compare {amount}",
  sweep_help: "",
  title: "",
  warnings: { self: "slow" },
};

/** @type {FakeChannel} */ let channel;
/** @type {TrainingSection} */ let section;
/** @type {(() => void)[]} */ let frames;

beforeEach(() => {
  installDom();
  frames = [];
  globalThis.requestAnimationFrame = (frame) => frames.push(frame);
  channel = new FakeChannel();
  section = new TrainingSection(channel);
  section.build({ training: TEXTS });
});

test("training is limited by the chosen length only", () => {
  section.start();
  section.limit = "steps";
  section.update();
  section.start();
  const [[, first], [, second]] = channel.acts;
  assert.deepEqual([first.seconds, first.steps], [20, undefined]);
  assert.deepEqual([second.seconds, second.steps], [undefined, 100]);
  assert.equal(section.button.textContent, "Fine-tune 100 steps");
  assert.deepEqual([section.lengths.seconds.node.hidden, section.lengths.steps.node.hidden], [true, false]);
});

test("distillation shows the temperature, its comparison and the warning about the teacher", () => {
  const temperatureOf = () => section.controls.find(({ field }) => field.key === "temperature").node;
  assert.ok(temperatureOf().hidden && section.sweepButton.hidden);
  section.choose("distill");
  assert.ok(!temperatureOf().hidden && !section.sweepButton.hidden);
  assert.equal(section.warning.textContent, "slow");
  assert.equal(section.button.textContent, "Distill 20 s");
  section.change("start", "scratch");
  assert.equal(section.button.textContent, "Student");
});

test("another student brings its share of labels, which a chosen one outlasts otherwise", () => {
  section.change("labels", 0.5);
  section.show({ idle: [], network: "", student_labels: 1 });
  assert.equal(section.values.labels, 0.5);
  section.show({ idle: [], network: "", student_labels: 0.1 });
  assert.equal(section.values.labels, 0.1);
});

test("the teacher is asked once in a frame, for the newest values", () => {
  section.change("teacher", "self");
  section.change("temperature", 8);
  assert.equal(frames.length, 1);
  frames[0]();
  assert.deepEqual(channel.acts, [["query_teacher", { teacher: "self", temperature: 8 }]]);
  section.change("teacher", "");
  frames[1]();
  assert.equal(channel.acts.length, 1);
});

test("an open group and the chosen length stay when another model is shown", () => {
  section.groups[0].open = true;
  section.limit = "steps";
  section.amounts = { ...section.amounts, steps: 7 };
  section.build({ training: TEXTS });
  assert.ok(section.groups[0].open);
  assert.equal(section.button.textContent, "Fine-tune 7 steps");
});
