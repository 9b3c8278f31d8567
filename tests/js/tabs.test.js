import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsOf, Tabs } from "../../workbench/panels/js/tabs.js";

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
