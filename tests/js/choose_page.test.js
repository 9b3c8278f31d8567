// What the questions of the page Choose ask for, and which inputs follow the limits of the picture.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ChoosePage, demandOf } from "../../workbench/panels/js/choose_page.js";
import { FakeChannel, installDom, LABELS } from "./fake_dom.js";

test("numbers are sent in the units of Python, and an empty answer is no limit", () => {
  const size = { key: "max_bytes", scale: 1000 };
  const accuracy = { key: "min_accuracy", scale: 0.01 };
  assert.deepEqual(
    demandOf([
      [size, 20],
      [accuracy, null],
    ]),
    { max_bytes: 20_000, min_accuracy: null },
  );
  assert.equal(demandOf([[accuracy, 90]]).min_accuracy, 0.9);
});

const TEXTS = { title: "", cards: "", start: "", none: "", suggested: "", reasons: "", open: "Open" };
const BOUNDS = { most: 100, text: "at most 100" };
const QUESTIONS = [
  { key: "max_bytes", scale: 1000, value: 20, bounds: BOUNDS },
  { key: "min_accuracy", scale: 0.01, value: null, bounds: BOUNDS },
  { key: "seconds", scale: 1, value: 60, bounds: { ...BOUNDS, required: true } },
].map((question) => ({ label: question.key, step: 1, unit: "", help: "", ...question }));
const CHOOSING = {
  working: false,
  limits: { max_bytes: 41_203, min_accuracy: 0.9 },
  suggested: ["max_bytes"],
  helps: {},
  searched: "",
  headline: "",
  met: false,
  cards: [],
  reasons: [],
};

/** @type {FakeChannel} */ let channel;
/** @type {ChoosePage} */ let page;

beforeEach(() => {
  installDom();
  channel = new FakeChannel();
  page = new ChoosePage({ channel, status: {}, go: (name) => channel.act("go", name) });
  const choosing = { ...TEXTS, questions: QUESTIONS };
  page.build({ labels: LABELS, tabs: [{ key: "choose", page: "choose", label: "Picture" }], choosing });
  channel.acts.length = 0;
});

const inputs = () => page.inputs.map(({ input }) => input);
const submit = () => page.start(new Event("submit", { cancelable: true }));

test("a search starts with all answers and opens its picture", () => {
  submit();
  assert.deepEqual(channel.acts[0], ["choose", { max_bytes: 20_000, min_accuracy: null, seconds: 60 }]);
  assert.equal(page.tabs.open, "choose");
});

test("no search starts with an answer that is not allowed, which gets the focus", () => {
  inputs()[1].value = "101";
  submit();
  assert.deepEqual(channel.acts, []);
  assert.equal(document.activeElement, inputs()[1]);
  assert.equal(page.inputs[1].error.textContent, "at most 100");
});

test("a limit is sent when it is dropped, and follows the picture before", () => {
  page.move("budget", 30, "moving");
  page.show({ choosing: CHOOSING }); // of the state before
  assert.equal(inputs()[0].value, "30");
  assert.deepEqual(channel.acts, []);
  page.move("budget", 35, "dropped");
  assert.deepEqual(channel.acts, [["choose_limits", { max_bytes: 35_000 }]]);
});

test("the time is no limit of the picture", () => {
  inputs()[2].value = "30";
  inputs()[2].dispatchEvent(new Event("change"));
  assert.deepEqual(channel.acts, [["focus", { key: "search_seconds", value: 30 }]]);
});

test("inputs show the limits in their units, but not while they are edited or wrong", () => {
  const [size, accuracy] = inputs();
  size.focus();
  page.show({ choosing: CHOOSING });
  assert.deepEqual([size.value, accuracy.value], ["20", "90"]);
  assert.deepEqual(
    page.inputs.map(({ mark }) => mark.hidden),
    [false, true, true],
  );
  accuracy.value = "101";
  accuracy.dispatchEvent(new Event("change"));
  document.activeElement = null;
  page.show({ choosing: CHOOSING });
  assert.deepEqual([size.value, accuracy.value], ["41.203", "101"]);
});

test("equal results keep the focus on a card, and new ones the place in the list", () => {
  const cards = ["a", "b"].map((name) => ({ title: "", name, facts: [], recipe: name, model: null }));
  const buttons = () => page.cards.querySelectorAll("button");
  page.show({ choosing: { ...CHOOSING, cards } });
  const second = buttons()[1];
  second.focus();
  page.show({ choosing: { ...CHOOSING, cards, headline: "2 recipes" } });
  assert.equal(buttons()[1], second);
  page.show({ choosing: { ...CHOOSING, cards: cards.toReversed() } });
  assert.equal(document.activeElement, buttons()[1]);
  buttons()[1].click();
  assert.deepEqual(channel.acts, [
    ["choose_recipe", { recipe: "a", model: null }],
    ["go", "compress"],
  ]);
});
