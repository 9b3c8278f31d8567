import assert from "node:assert/strict";
import { test } from "node:test";
import { selectedNote, selectStudent } from "../../workbench/panels/js/student.js";

const rules = { temperature: "t", teacher: "who", start: { t: 4, who: "resnet" }, alone: 1, selected: "ResNet!" };

for (const [name, before, [key, value], expected] of [
  ["a temperature needs a teacher", { t: 1, who: "" }, ["t", 8], { t: 8, who: "resnet" }],
  ["a temperature keeps a teacher", { t: 1, who: "lenet5" }, ["t", 8], { t: 8, who: "lenet5" }],
  ["without a student, no teacher is selected", { t: 4, who: "" }, ["t", 0], { t: 0, who: "" }],
  ["without a teacher there is no temperature", { t: 8, who: "resnet" }, ["who", ""], { t: 1, who: "" }],
  ["a choice selects a student", { t: 0, who: "lenet5" }, ["labels", 1], { t: 4, who: "lenet5", labels: 1 }],
  ["a choice keeps a student without a teacher", { t: 0, who: "" }, ["labels", 1], { t: 1, who: "", labels: 1 }],
])
  test(name, () => assert.deepEqual(selectStudent(rules, before, key, value), expected));

test("a teacher that a temperature selects is named while the temperature moves", () => {
  let values = { t: 1, who: "" };
  let note = "";
  const change = (key, value) => {
    const next = selectStudent(rules, values, key, value);
    note = selectedNote(rules, values, next, key, note);
    values = next;
    return note;
  };
  assert.equal(change("t", 2), "ResNet!");
  assert.equal(change("t", 8), "ResNet!");
  assert.equal(change("who", "lenet5"), "");
  assert.equal(change("t", 2), "");
  change("who", "");
  assert.equal(change("t", 2), "ResNet!");
  assert.equal(change("t", 0), "");
});
