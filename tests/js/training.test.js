// Which training settings apply, what training is for, and the text of its button.

import assert from "node:assert/strict";
import { test } from "node:test";
import { acts, aimOf, withAim, withAmount } from "../../workbench/panels/js/training.js";

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
