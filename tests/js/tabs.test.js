import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { columnsOf, Tabs } from "../../workbench/panels/js/tabs.js";
import { FakeChannel, installDom, LABELS } from "./fake_dom.js";

for (const [width, columns] of [
  [0, 2],
  [311, 2],
  [312, 3],
  [5000, 12],
]) {
  test(`${columns} examples fit into ${width} px`, () => assert.equal(columnsOf(width), columns));
}

for (const [name, clientWidth, sent] of [
  ["a wider", 900, [["focus", { key: "columns", value: 8 }]]],
  ["a hidden", 0, []],
])
  test(`${name} tab asks for ${sent.length} new pictures`, () => {
    const acts = [];
    const tabs = { body: { clientWidth }, open: "comparison", columns: 5 };
    Tabs.prototype.measure.call({ ...tabs, channel: { act: (...act) => acts.push(act) } });
    assert.deepEqual(acts, sent);
  });

const TABS = ["size", "weights", "comparison"].map((key) => ({ key, label: key, page: "compress" }));
const OTHERS = [{ key: "curve", label: "curve", page: "train" }];

/** @type {FakeChannel} */ let channel;

beforeEach(() => {
  installDom();
  channel = new FakeChannel();
});

const made = (options) => {
  const tabs = new Tabs(channel, { showMessage() {} }, options);
  tabs.build({ labels: LABELS, tabs: [...TABS, ...OTHERS] }, "compress");
  return tabs;
};
const opened = () => channel.acts.map(([, { key }]) => key);

test("an arrow key opens the next tab, and after the last the first", () => {
  const tabs = made();
  assert.equal(tabs.tabs.length, TABS.length); // those of other pages are not counted
  const press = (key) => {
    const target = tabs.tabs.find((tab) => tab.key === tabs.open)?.node ?? tabs.tabs[0].node;
    tabs.onKey({ key, target });
  };
  for (const key of ["ArrowLeft", "ArrowRight", "ArrowRight", "Enter"]) press(key);
  assert.deepEqual(opened(), ["comparison", "size", "weights"]);
  assert.equal(document.activeElement, tabs.tabs[1].node);
  assert.deepEqual(
    tabs.tabs.map(({ node }) => node.getAttribute("aria-selected")),
    ["false", "true", "false"],
  );
});

for (const [closable, left] of [
  [true, null],
  [false, "size"],
])
  test(`a click on the open tab ${closable ? "closes it" : "leaves it open"}`, () => {
    const tabs = made({ closable });
    tabs.press("size");
    tabs.press("size");
    assert.equal(tabs.open, left);
    assert.deepEqual(opened(), closable ? ["size", null] : ["size"]);
    assert.equal(tabs.body.hidden, closable);
  });

test("at first no tab is open in a low window, unless one always is", () => {
  for (const [closable, isTall, open] of [
    [true, false, null],
    [true, true, "size"],
    [false, false, "size"],
  ]) {
    globalThis.matchMedia = () => ({ matches: isTall });
    const tabs = made({ closable });
    tabs.resume();
    assert.equal(tabs.open, open);
  }
});

test("a tab that another task does not have gives way to the first", () => {
  const tabs = made();
  tabs.choose("comparison");
  tabs.build({ labels: LABELS, tabs: TABS.slice(0, 2) }, "compress");
  assert.deepEqual(opened(), ["comparison", "size"]);
});

const table = (rows) => ({
  head: ["recipe"],
  rows: rows.map((key) => ({ key, selected: false, cells: [`recipe ${key}`] })),
  empty: "none",
  action: "show",
  button: { text: "clear", act: "clear" },
  foot: "",
});
const message = (rest) => ({ key: "size", seq: 1, controls: [], ...rest });

test("a table that is the same stays, and a new one keeps the focus on its row", () => {
  const tabs = made();
  tabs.choose("size");
  tabs.show(message({ table: table(["a", "b"]) }));
  const button = tabs.body.querySelector('[data-key="b"]');
  button.focus();
  tabs.show(message({ table: table(["a", "b"]) }));
  assert.equal(tabs.body.querySelector('[data-key="b"]'), button);
  tabs.show(message({ table: table(["a", "c", "b"]) }));
  assert.notEqual(document.activeElement, button);
  assert.equal(document.activeElement.dataset.key, "b");
  tabs.show(message({ table: table([]) }));
  assert.equal(tabs.content.textContent, "none");
});

test("a message about a closed tab is ignored", () => {
  const tabs = made();
  tabs.choose("weights");
  tabs.show(message({ note: "of another tab" }));
  assert.equal(tabs.content.textContent, "");
  tabs.show(message({ key: "weights", note: "measuring" }));
  assert.equal(tabs.content.textContent, "measuring");
});
