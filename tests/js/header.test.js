// What the header shows on each page, and which model is selected.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { facts, Header, presetRow } from "../../workbench/panels/js/header.js";
import { FakeChannel, installDom, LABELS } from "./fake_dom.js";

const PAGES = [
  { key: "compress", label: "Compress", model: true, recipe: true, goal: true },
  { key: "choose", label: "Choose", model: true, recipe: false, goal: true },
  { key: "plan", label: "Plan", model: false, recipe: false, goal: false },
];
const MODELS = [
  { value: "fashion/mlp-32", label: "MLP" },
  { value: "fashion/resnet", label: "ResNet" },
];
const PAGE = {
  labels: LABELS,
  pages: PAGES,
  upload: null,
  trial: null,
  header: { tasks: [{ title: "Fashion", models: MODELS }], selected: "fashion/mlp-32" },
};

/** @type {FakeChannel} */ let channel;
/** @type {Header} */ let header;
/** @type {string[]} */ let languages;

beforeEach(() => {
  installDom();
  channel = new FakeChannel();
  languages = [];
  header = new Header(
    channel,
    { toggle() {} },
    (key) => channel.act("page", key),
    (lang) => languages.push(lang),
  );
  header.build(PAGE);
});

for (const [key, models, undo] of [
  ["compress", true, true],
  ["choose", true, true],
  ["plan", false, false],
])
  test(`the page ${key} has ${models ? "the" : "no"} models and ${undo ? "a" : "no"} history`, () => {
    header.mark(key);
    assert.deepEqual([header.models.hidden, header.undo.hidden, header.redo.hidden], [!models, !undo, !undo]);
    const current = Object.entries(header.links).filter(([, link]) => link.getAttribute("aria-current") === "page");
    assert.deepEqual(
      current.map(([name]) => name),
      [key],
    );
  });

test("the button with the name of the other language asks for it", () => {
  const tools = header.node.children.at(-1);
  const button = tools.children.find((child) => child.textContent === "other_language");
  button.click();
  assert.equal(button.getAttribute("lang"), "other_lang");
  assert.deepEqual(languages, ["other_lang"]);
});

test("undo and redo act only where the history has a step", () => {
  header.step("undo");
  header.show({ model: "fashion/mlp-32", student: null, undo: true, redo: false });
  header.step("undo");
  header.step("redo");
  assert.deepEqual(channel.acts, [["undo"]]);
  assert.equal(header.redo.getAttribute("aria-disabled"), "true");
});

test("a selected student is an entry of its own, in front of the models", () => {
  const student = { value: "fashion/small", label: "small student", help: "a student of ResNet" };
  const entry = () => header.models.querySelector(":scope > option");
  header.show({ model: "fashion/mlp-32", student, undo: false, redo: false });
  assert.equal(header.models.value, "fashion/small");
  assert.equal(header.models.title, "a student of ResNet");
  const first = entry();
  header.show({ model: "fashion/mlp-32", student, undo: true, redo: false });
  assert.equal(entry(), first); // an open list stays
  header.show({ model: "fashion/resnet", student: null, undo: true, redo: false });
  assert.equal(entry(), null);
  assert.deepEqual([header.models.value, header.models.title], ["fashion/resnet", "ResNet"]);
});

test("presets send their keys, and the last button selects none", () => {
  const presets = [{ key: "small", label: "Small", help: "" }];
  for (const button of presetRow({ labels: LABELS, presets }, channel).querySelectorAll("button")) button.click();
  assert.deepEqual(channel.acts, [["preset", { key: "small" }], ["reset"]]);
});

test("a fact without a label is its value alone", () => {
  const shown = facts({
    labels: LABELS,
    header: {
      facts: [
        { value: "89 %", label: "accuracy", help: "" },
        { value: "41 kB", label: "", help: "" },
      ],
    },
  });
  const texts = shown.children.slice(0, 2).map(({ textContent }) => textContent);
  assert.deepEqual(texts, ["89 % accuracy", "41 kB"]);
});
