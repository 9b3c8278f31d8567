// One request of the page Plan is on its way at a time, and its answer changes nothing that is in the hand.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { PlanPage, stops } from "../../workbench/panels/js/plan_page.js";
import { FakeChannel, installDom, LABELS } from "./fake_dom.js";

const CHOICES = [1, 2, 4, 8].map((value) => ({ value, label: `${value} chips` }));
const FIELDS = ["model", "chips"].map((key) => ({ key, label: key, help: "", choices: CHOICES }));
const ANSWER = {
  open: "Open",
  largest: 100,
  values: { model: 1, chips: 2 },
  hidden: [],
  fits: { text: "fits", tone: "good" },
  numbers: [
    { value: "40 GB", label: "memory", brief: "" },
    { value: "9 s", label: "step", brief: "step" },
    { value: "3 days", label: "training", brief: "train" },
    { value: "2 ms", label: "token", brief: "" },
  ],
  sentences: ["It fits."],
};

/** @type {FakeChannel} */ let channel;
/** @type {PlanPage} */ let plan;

beforeEach(() => {
  installDom();
  channel = new FakeChannel();
  plan = new PlanPage({ channel, status: {} });
  plan.build({ labels: LABELS, tabs: [], pages: [{ key: "plan", label: "Plan" }] });
  channel.tell("plan", { ...ANSWER, fields: FIELDS });
  channel.acts.length = 0;
});

const slider = (key) => plan.controls[key].node.querySelector("input");

test("the newest changes wait for the answer to the first", () => {
  plan.change("chips", 4);
  plan.change("chips", 8);
  plan.change("model", 2);
  assert.deepEqual(channel.acts, [["plan", { values: { chips: 4 } }]]);
  channel.tell("plan", { ...ANSWER, values: { model: 1, chips: 4 } });
  assert.deepEqual(channel.acts.slice(1), [["plan", { values: { chips: 8, model: 2 } }]]);
  channel.tell("plan", { ...ANSWER, values: { model: 2, chips: 8 } });
  assert.equal(channel.acts.length, 2);
});

test("an answer moves no slider whose newest value waits", () => {
  slider("chips").value = "3";
  plan.busy = true;
  plan.change("chips", 8);
  channel.tell("plan", { ...ANSWER, values: { model: 4, chips: 1 }, hidden: ["model"] });
  assert.deepEqual([slider("chips").value, slider("model").value], ["3", "2"]);
  assert.deepEqual([plan.controls.chips.node.hidden, plan.controls.model.node.hidden], [false, true]);
});

test("the same controls stay when the page is opened again", () => {
  const before = slider("chips");
  channel.tell("plan", { ...ANSWER, fields: FIELDS });
  assert.equal(slider("chips"), before);
  channel.tell("plan", { ...ANSWER, fields: FIELDS, open: "Ouvrir" });
  assert.notEqual(slider("chips"), before);
});

for (const [size, text] of [
  [100, "{}"],
  [101, null],
])
  test(`a configuration of ${size} bytes is sent ${text ? "with" : "without"} its text`, async () => {
    plan.file.files = [{ name: "config.json", size, text: async () => "{}" }];
    await plan.openConfig();
    assert.deepEqual(channel.acts, [["plan", { file: { name: "config.json", text } }]]);
  });

test("another file is planned only if the page was open", () => {
  plan.show({ file: "a" });
  assert.deepEqual(channel.acts, []);
  plan.open();
  channel.acts.length = 0;
  plan.show({ file: "a" });
  plan.show({ file: null });
  assert.deepEqual(channel.acts, []);
  plan.show({ file: "b" });
  assert.deepEqual(channel.acts, [["plan"]]);
});

test("the strip shows the memory and the last time with a brief label", () => {
  const texts = plan.strip.node.querySelectorAll("span").map(({ textContent }) => textContent);
  assert.deepEqual(texts, ["fits", "40 GB", "3 days", "train"]);
});

test("a slider over values sends the value of its stop, and shows an unknown one as the first", () => {
  const sent = [];
  const made = stops({ ...FIELDS[1] }, (value) => sent.push(value));
  const [input] = made.node.querySelectorAll("input");
  made.show(4);
  assert.equal(input.value, "2");
  assert.equal(input.getAttribute("aria-valuetext"), "4 chips");
  made.show(3);
  assert.equal(input.value, "0");
  assert.deepEqual(sent, []);
  input.value = "3";
  input.dispatchEvent(new Event("input"));
  assert.deepEqual(sent, [8]);
});

test("the parts of the page have names", () => {
  assert.equal(plan.settings.getAttribute("aria-label"), "Plan");
  assert.equal(plan.answer.getAttribute("aria-label"), "results");
});
